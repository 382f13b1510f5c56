/** The pages: the overview, and one for each batch. What a reader has opened or filtered stands in the address. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { batchOf } from "./api.ts";
import type { Guard } from "./auth/guard.ts";
import type { WebContext } from "./context.ts";
import { parse } from "./failures.ts";
import { Times } from "./format.ts";
import type { Html } from "./html.ts";
import { batchPage } from "./views/batch-page.ts";
import type { Frame } from "./views/layout.ts";
import { overviewPage } from "./views/overview-page.ts";

const STRIP_BATCHES = 60;
const LISTED_BATCHES = 12;
const LOG_LINES = 400;

/** Names of the parts that are open, as the page's script writes them: `passing,models`. */
const open = z
  .string()
  .max(1_000)
  .default("")
  .transform((names): ReadonlySet<string> => new Set(names.split(",").filter((name) => name !== "")));

const overviewQuery = z.object({ before: z.coerce.number("must be a number").int().positive().optional(), open });
const batchQuery = z.object({
  task: z.string().max(500).default(""),
  follow: z.enum(["on", "off"]).optional(),
  open,
});

/** @param guard undefined where there is no login */
export function routePages(server: FastifyInstance, context: WebContext, guard: Guard | undefined): void {
  const { store } = context;
  const times = new Times(context.info.timezone);
  const frame = (request: FastifyRequest): Frame => {
    const session = guard?.sessionOf(request);
    const logoutToken = session && guard?.tokens.tokenFor("logout", session.key);
    return { ...frameOf(context, times), logoutToken };
  };

  server.get("/", (request, reply) => {
    const { before, open } = parse(overviewQuery, request.query);
    const page = overviewPage({
      ...frame(request),
      open,
      strip: store.batches({ limit: STRIP_BATCHES }),
      // One more than is shown tells whether there are older ones.
      listed: store.batches({ limit: LISTED_BATCHES + 1, before }),
      listLimit: LISTED_BATCHES,
      before,
      stats: store.stats(),
      tables: store.tables(),
      models: store.models(),
      tests: store.tests(),
      verifications: store.verifications(),
    });
    return send(reply, page);
  });

  server.get("/batches/:id", (request, reply) => {
    const batch = batchOf(context, request.params);
    const { task, follow, open } = parse(batchQuery, request.query);
    const page = batchPage({
      ...frame(request),
      open,
      batch,
      strip: store.batches({ limit: STRIP_BATCHES }),
      ...store.neighbours(batch.batch_id),
      task,
      follow: follow ? follow === "on" : batch.status === "running",
      lines: store.logs(batch.batch_id, { limit: LOG_LINES, task: task === "" ? undefined : task }),
      lineLimit: LOG_LINES,
    });
    return send(reply, page);
  });
}

function frameOf({ store, controls, info, clock }: WebContext, times: Times): Omit<Frame, "logoutToken"> {
  const runningId = store.runningBatchId() ?? controls.running();
  return {
    info,
    times,
    now: clock.now(),
    nextRun: controls.nextTick(),
    running: runningId === undefined ? undefined : store.batch(runningId),
  };
}

function send(reply: FastifyReply, page: Html): FastifyReply {
  return reply.type("text/html; charset=utf-8").send(page.toString());
}
