/** What every command starts from: its settings, its log, and the signal that says stop. */
import type { Command } from "commander";
import { loadConfig, type Settings } from "../config/config.ts";
import { OPTIONS, type Config, type OptionName } from "../config/options.ts";
import { resolveSecrets, type SecretSetting } from "../config/resolve-secrets.ts";
import { NovaError } from "../core/errors.ts";
import { createLog, type Log } from "../core/log.ts";

/** Settings from the command's flags, those of the program included. @throws NovaError CONFIG_INVALID */
export function configOf(command: Command, defaults: Readonly<Partial<Record<OptionName, string>>> = {}): Config {
  return loadConfig(settingsOf(command, defaults));
}

/**
 * The same, with the value of each named secret that is kept elsewhere.
 *
 * @throws NovaError CONFIG_INVALID, SECRET_UNREACHABLE
 */
export async function configWithSecrets(
  command: Command,
  { secrets, signal, defaults }: SecretsOptions,
): Promise<Config> {
  return await resolveSecrets(configOf(command, defaults), secrets, { signal });
}

interface SecretsOptions {
  /** Those that the command uses. */
  readonly secrets: readonly SecretSetting[];
  readonly signal: AbortSignal;
  readonly defaults?: Readonly<Partial<Record<OptionName, string>>> | undefined;
}

/** What was given, not checked yet. */
export function settingsOf(command: Command, defaults: Settings["defaults"] = {}): Settings {
  const given = command.optsWithGlobals();
  const flags = Object.fromEntries(
    Object.keys(OPTIONS).flatMap((key) => (typeof given[key] === "string" ? [[key, given[key]]] : [])),
  );
  return { flags, environment: process.env, defaults };
}

/** Lines for a person on a terminal, JSON elsewhere; both on standard error. */
export function logFor(config: Config): Log {
  return createLog({ level: config.logLevel, plain: process.stderr.isTTY });
}

/**
 * Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once, which is safe at any moment:
 * what was not published by then never will be.
 */
export function stopSignal(): AbortSignal & Disposable {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(name === "SIGINT" ? 130 : 143);
    controller.abort(new NovaError("BATCH_CANCELLED", `The batch was cancelled by ${name}.`));
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return Object.assign(controller.signal, {
    [Symbol.dispose]: () => void process.off("SIGINT", stop).off("SIGTERM", stop),
  });
}
