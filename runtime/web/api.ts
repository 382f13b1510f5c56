/** The facts of the page as JSON, in the words of the `--json` contract, and the one request that sets something going. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { NovaError } from "../core/errors.ts";
import type { BatchRecord } from "../store/records.ts";
import type { WebContext } from "./context.ts";
import { parse } from "./failures.ts";
import { requireSameOrigin } from "./security.ts";

const id = z.coerce.number("must be a number").int().positive().max(Number.MAX_SAFE_INTEGER);
const limit = (most: number, usual: number) =>
  z.coerce.number("must be a number").int().min(1).max(most).default(usual);

const batchParams = z.object({ id });
const batchesQuery = z.strictObject({ limit: limit(500, 50), before: id.optional() });
const logsQuery = z.strictObject({
  limit: limit(2_000, 500),
  after: z.coerce.number("must be a number").int().min(0).optional(),
  task: z.string().min(1).max(500).optional(),
});
const runBody = z.strictObject({});

export function routeApi(server: FastifyInstance, context: WebContext): void {
  const { store, controls } = context;

  server.addHook("onSend", async (request, reply) => {
    if (!request.url.startsWith("/assets/")) void reply.header("cache-control", "no-store");
  });

  // Answered without a login: whether the process lives, and which it is.
  server.get("/healthz", () => ({
    status: "ok",
    version: context.info.version,
    release: context.info.release ?? null,
  }));

  server.get("/api/status", () => {
    const [last] = store.batches({ limit: 1 });
    return {
      ...context.info,
      now: context.clock.now().toISOString(),
      uptime_seconds: Math.round(process.uptime()),
      memory_mb: Math.round(process.memoryUsage.rss() / 1e6),
      running_batch_id: store.runningBatchId() ?? controls.running() ?? null,
      last_batch: last ? { batch_id: last.batch_id, status: last.status, finished_at: last.finished_at } : null,
      next_run: controls.nextTick()?.toISOString() ?? null,
      stats: store.stats(),
      tables: store.tables(),
      models: store.models(),
      tests: store.tests(),
      verifications: store.verifications(),
    };
  });

  server.get("/api/batches", (request) => {
    const batches = store.batches(parse(batchesQuery, request.query));
    return { batches };
  });

  server.get("/api/batches/:id", (request) => batchOf(context, request.params));

  server.get("/api/batches/:id/logs", (request) => {
    const { batch_id } = batchOf(context, request.params);
    return { batch_id, lines: store.logs(batch_id, parse(logsQuery, request.query)) };
  });

  server.post("/api/run", { onRequest: requireSameOrigin }, async (request, reply) => {
    parse(runBody, request.body);
    const { batchId } = await controls.runNow();
    return reply.code(202).send({ batch_id: batchId });
  });
}

/** @throws NovaError USAGE_INVALID, BATCH_UNKNOWN */
export function batchOf({ store }: WebContext, params: unknown): BatchRecord {
  const { id } = parse(batchParams, params);
  const batch = store.batch(id);
  if (!batch) throw new NovaError("BATCH_UNKNOWN", `The run history has no batch ${id}`);
  return batch;
}
