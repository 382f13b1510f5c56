/**
 * The states of the process that runs batches, as a total table: every event has an answer in every state.
 *
 * | state    | tick  | request | finished | stop     |
 * | -------- | ----- | ------- | -------- | -------- |
 * | idle     | start | start   | ignore   | stopped  |
 * | running  | skip  | refuse  | → idle   | cancel   |
 * | stopping | skip  | refuse  | stopped  | ignore   |
 * | stopped  | skip  | refuse  | ignore   | ignore   |
 */

export type RunState = "idle" | "running" | "stopping" | "stopped";
/** `tick`: the schedule is due. `request`: somebody asks for a batch now. `finished`: the batch is over. `stop`: the process is to end. */
export type RunEvent = "tick" | "request" | "finished" | "stop";
/** `skip`: a due tick passes unused, and is logged. `refuse`: the one who asked is told why. `cancel`: the running batch is asked to end. */
type RunAction = "start" | "skip" | "refuse" | "cancel" | "none";

interface Transition {
  readonly next: RunState;
  readonly action: RunAction;
}

const to = (next: RunState, action: RunAction = "none"): Transition => ({ next, action });

const TABLE: Readonly<Record<RunState, Readonly<Record<RunEvent, Transition>>>> = {
  idle: { tick: to("running", "start"), request: to("running", "start"), finished: to("idle"), stop: to("stopped") },
  running: {
    tick: to("running", "skip"),
    request: to("running", "refuse"),
    finished: to("idle"),
    stop: to("stopping", "cancel"),
  },
  stopping: {
    tick: to("stopping", "skip"),
    request: to("stopping", "refuse"),
    finished: to("stopped"),
    stop: to("stopping"),
  },
  stopped: {
    tick: to("stopped", "skip"),
    request: to("stopped", "refuse"),
    finished: to("stopped"),
    stop: to("stopped"),
  },
};

export function transition(state: RunState, event: RunEvent): Transition {
  return TABLE[state][event];
}
