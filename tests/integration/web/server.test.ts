import { createServer as createTcpServer } from "node:net";
import { once } from "node:events";
import { request } from "node:http";
import { pino } from "pino";
import { expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { listen } from "../../../runtime/web/server.ts";
import { generator, sampleBatch, sampleHistory, type SampleOutcome } from "../../support/sample-history.ts";
import { openStatusPage, type StatusPage } from "../../support/status-page.ts";

const JSON_POST = {
  method: "POST",
  url: "/api/run",
  headers: { "content-type": "application/json" },
  payload: "{}",
} as const;
const HTML = { accept: "text/html" };

function fill({ events }: StatusPage, batchId: number, outcome: SampleOutcome): void {
  const startedAt = new Date(Date.parse("2026-11-22T12:00:00Z") + batchId * 60_000);
  for (const event of sampleBatch({
    batchId,
    startedAt,
    outcome,
    trigger: "schedule",
    random: generator(1),
    first: batchId === 1,
  })) {
    events.emit(event);
  }
}

test("the overview shows tables, models, tests and batches", async () => {
  await using page = await openStatusPage();
  fill(page, 1, "success");
  fill(page, 2, "test failed");
  const { statusCode, headers, body } = await page.server.inject({ url: "/", headers: HTML });
  expect(statusCode).toBe(200);
  expect(headers["content-type"]).toContain("text/html");
  expect(headers["cache-control"]).toBe("no-store");
  for (const id of ["table-vendas", "model-fct_vendas", "test-valor_pago_within_list_price", "batch-2", "bar-1"]) {
    expect(body).toContain(`id="${id}"`);
  }
  expect(body).toContain("TEST_FAILED");
});

test("before the first batch the page says how one starts", async () => {
  await using page = await openStatusPage();
  const { body } = await page.server.inject({ url: "/", headers: HTML });
  expect(body).toContain("No batch has run yet");
});

test("what the page is told cannot become markup or script", async () => {
  await using page = await openStatusPage({ info: { source: `postgres://x/"><script>alert(1)</script>` } });
  const evil = `</code><script>alert("2")</script><img src=x onerror='alert(3)'>`;
  const at = new Date();
  page.events.emit({ type: "batch_started", batchId: 1, at, trigger: "manual" });
  page.events.emit({
    type: "log",
    batchId: 1,
    at,
    level: "error",
    message: evil,
    task: { kind: "extract", subject: evil },
  });
  const error = new NovaError("MODEL_SQL_FAILED", evil, { remedy: `\`${evil}\`` }).report();
  const task = { kind: "model", subject: evil } as const;
  page.events.emit({ type: "task_started", batchId: 1, at, task, attempt: 1 });
  page.events.emit({ type: "task_finished", batchId: 1, at, task, attempt: 1, status: "failed", seconds: 1, error });
  page.events.emit({
    type: "model_finished",
    batchId: 1,
    at,
    result: { name: evil, status: "failed", rows: 0, seconds: 1, error },
  });
  page.events.emit({
    type: "test_finished",
    batchId: 1,
    at,
    result: { name: evil, status: "error", failures: 0, seconds: 1, error },
  });
  for (const url of [
    "/",
    "/batches/1",
    `/batches/1?task=${encodeURIComponent(evil)}`,
    `/nothing/${encodeURIComponent(evil)}`,
  ]) {
    const { body } = await page.server.inject({ url, headers: HTML });
    expect(body.match(/<script/g), url).toHaveLength(1);
    expect(body, url).not.toContain("<img");
    expect(body, url).toMatch(/(&lt;script|%3Cscript)/);
  }
});

test("no page has a style or a handler in line, which its own policy would refuse", async () => {
  await using page = await openStatusPage();
  for (const event of sampleHistory({ batches: 3, until: new Date(), running: true })) page.events.emit(event);
  for (const url of ["/", "/batches/3", "/batches/2"]) {
    const { body, headers } = await page.server.inject({ url, headers: HTML });
    expect(body).not.toMatch(/\sstyle=|<style|\son\w+=/);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain("unsafe");
    expect(headers["x-frame-options"]).toBeDefined();
  }
});

test("a batch's page shows tasks, errors with their remedies, and its log", async () => {
  await using page = await openStatusPage();
  fill(page, 1, "retried");
  fill(page, 2, "source down");
  const retried = await page.server.inject({ url: "/batches/1", headers: HTML });
  expect(retried.body).toContain("Made good by a retry");
  expect(retried.body).toContain("(attempt 2)");
  const down = await page.server.inject({ url: "/batches/2", headers: HTML });
  expect(down.body).toContain("SOURCE_UNREACHABLE");
  expect(down.body).toContain("<code>pg_isready -h db.novadrive.example</code>");
  expect(down.body).toContain('href="/batches/1"');
});

test("the log's filter and what is open come from the address", async () => {
  await using page = await openStatusPage();
  fill(page, 1, "success");
  const all = await page.server.inject({ url: "/batches/1", headers: HTML });
  const some = await page.server.inject({ url: "/batches/1?task=vendas&open=passing&follow=on", headers: HTML });
  expect(all.body).toContain("Published: 7 tables");
  expect(some.body).not.toContain("Published: 7 tables");
  expect(some.body).toContain("62000 rows");
  expect(some.body).toMatch(/<option value="vendas" selected/);
  expect(some.body).toMatch(/data-open="passing"\s+open/);
  expect(all.body).not.toMatch(/data-open="passing"\s+open/);
  expect(some.body).toMatch(/id="log-follow"[^>]*checked/);
});

test("the first load of a table shows how far it is before there is a result", async () => {
  await using page = await openStatusPage();
  fill(page, 1, "running");
  const { body } = await page.server.inject({ url: "/", headers: HTML });
  expect(body).toContain('id="table-vendas"');
  expect(body.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ")).toContain("reading 27,280 rows, 2.8 MB");
});

test("batches, a batch and its log are given as JSON in the words of the contract", async () => {
  await using page = await openStatusPage();
  for (let id = 1; id <= 3; id++) fill(page, id, "success");
  const list = (await page.server.inject("/api/batches?limit=2")).json();
  expect(list.batches.map((batch: { batch_id: number }) => batch.batch_id)).toEqual([3, 2]);
  expect((await page.server.inject("/api/batches?before=2")).json().batches).toHaveLength(1);
  const batch = (await page.server.inject("/api/batches/1")).json();
  expect(batch).toMatchObject({ batch_id: 1, status: "success" });
  expect(batch.tables[0]).toMatchObject({
    name: "cidades",
    mode: "incremental",
    rows_read: 27,
    inserted: 27,
    updated: 0,
    deleted: 0,
  });
  expect(batch.tests[0]).toMatchObject({ status: "pass", failures: 0 });
  const log = (await page.server.inject("/api/batches/1/logs?task=publish&limit=5")).json();
  expect(log).toMatchObject({ batch_id: 1, lines: [{ task: "publish", level: "info" }] });
});

test("the status names schedule, next run and what runs, and no secret", async () => {
  const next = new Date("2026-11-22T13:00:00Z");
  await using page = await openStatusPage({ controls: { nextTick: () => next } });
  fill(page, 1, "running");
  const status = (await page.server.inject("/api/status")).json();
  expect(status).toMatchObject({
    schedule: "* * * * *",
    next_run: next.toISOString(),
    running_batch_id: 1,
    version: "0.1.0",
  });
  expect(status).toMatchObject({ last_batch: { batch_id: 1, status: "running" }, uptime_seconds: expect.any(Number) });
});

test("the health check tells which release answers, and nothing of the pipeline", async () => {
  await using page = await openStatusPage({ info: { release: "3f2a" } });
  fill(page, 1, "running");
  const health = await page.server.inject("/healthz");
  expect(health.json()).toEqual({ status: "ok", version: "0.1.0", release: "3f2a" });
});

test.each([
  ["/batches/99", 404, "BATCH_UNKNOWN"],
  ["/api/batches/99", 404, "BATCH_UNKNOWN"],
  ["/api/batches/99/logs", 404, "BATCH_UNKNOWN"],
  ["/api/batches/x", 400, "USAGE_INVALID"],
  ["/api/batches/1e999", 400, "USAGE_INVALID"],
  ["/api/batches/0", 400, "USAGE_INVALID"],
  ["/api/batches?limit=0", 400, "USAGE_INVALID"],
  ["/api/batches?limit=5000", 400, "USAGE_INVALID"],
  ["/api/batches?nonsense=1", 400, "USAGE_INVALID"],
  ["/?before=x", 400, "USAGE_INVALID"],
  ["/nothing", 404, "USAGE_INVALID"],
  ["/assets/../server.ts", 404, "USAGE_INVALID"],
  ["/assets/%2e%2e/server.ts", 404, "USAGE_INVALID"],
  ["/assets/format.d.ts", 404, "USAGE_INVALID"],
])("%s is answered with %d %s, as a page or as JSON", async (url, status, code) => {
  await using page = await openStatusPage();
  const json = await page.server.inject(url);
  expect(json.statusCode).toBe(status);
  expect(json.json()).toMatchObject({ error: { code, message: expect.any(String), remedy: expect.any(String) } });
  const html = await page.server.inject({ url, headers: HTML });
  expect(html.statusCode).toBe(status);
  expect(html.body).toContain(code);
});

test("an unforeseen error goes to the log, not to the page", async () => {
  await using page = await openStatusPage({
    controls: {
      nextTick: () => {
        throw new Error("password=hunter2");
      },
    },
  });
  const { statusCode, body } = await page.server.inject("/api/status");
  expect(statusCode).toBe(500);
  expect(body).not.toContain("hunter2");
});

test("run now starts a batch and says which", async () => {
  let started = 0;
  await using page = await openStatusPage({ controls: { runNow: async () => ({ batchId: ++started }) } });
  const answer = await page.server.inject(JSON_POST);
  expect([answer.statusCode, answer.json()]).toEqual([202, { batch_id: 1 }]);
});

test("run now while a batch runs is refused with the reason", async () => {
  await using page = await openStatusPage({
    controls: {
      runNow: async () => {
        throw new NovaError("BATCH_RUNNING", "Batch 7 is running");
      },
    },
  });
  const answer = await page.server.inject(JSON_POST);
  expect(answer.statusCode).toBe(409);
  expect(answer.json()).toMatchObject({ error: { code: "BATCH_RUNNING", message: "Batch 7 is running" } });
});

test.each([
  ["a foreign origin", { ...JSON_POST, headers: { ...JSON_POST.headers, origin: "https://evil.example" } }, 403],
  ["an opaque origin", { ...JSON_POST, headers: { ...JSON_POST.headers, origin: "null" } }, 403],
  [
    "another port of this machine",
    { ...JSON_POST, headers: { ...JSON_POST.headers, origin: "http://localhost:9999", host: "localhost:8080" } },
    403,
  ],
  ["a foreign site", { ...JSON_POST, headers: { ...JSON_POST.headers, "sec-fetch-site": "cross-site" } }, 403],
  ["a form", { ...JSON_POST, headers: { "content-type": "application/x-www-form-urlencoded" }, payload: "" }, 415],
  ["plain text", { ...JSON_POST, headers: { "content-type": "text/plain" } }, 415],
  ["more than there is to say", { ...JSON_POST, payload: JSON.stringify({ more: "x".repeat(2_000) }) }, 413],
  ["a body with unknown wishes", { ...JSON_POST, payload: `{"full_refresh": true}` }, 400],
  ["a plain GET", { ...JSON_POST, method: "GET", payload: "" } as const, 404],
])("run now is refused to %s", async (_who, options, status) => {
  let started = false;
  await using page = await openStatusPage({
    controls: {
      runNow: async () => {
        started = true;
        return { batchId: 1 };
      },
    },
  });
  const { statusCode } = await page.server.inject(options);
  expect(statusCode).toBe(status);
  expect(started).toBe(false);
});

test("run now is open to the page itself", async () => {
  await using page = await openStatusPage();
  const headers = {
    ...JSON_POST.headers,
    origin: "http://localhost:8080",
    host: "localhost:8080",
    "sec-fetch-site": "same-origin",
  };
  expect((await page.server.inject({ ...JSON_POST, headers })).statusCode).toBe(202);
});

test("on the loopback address only its own names are answered", async () => {
  await using page = await openStatusPage();
  const url = new URL(await page.listen());
  const statusFor = async (host: string) => {
    const [response] = await once(request(url, { headers: { host } }).end(), "response");
    response.resume();
    return response.statusCode;
  };
  expect(await statusFor(`evil.example:${url.port}`)).toBe(403);
  expect(await statusFor("127.0.0.1.evil.example")).toBe(403);
  expect(await statusFor(`localhost:${url.port}`)).toBe(200);
  expect(await statusFor("localhost:18080")).toBe(200);
  expect(await statusFor("[::1]")).toBe(200);
});

test("beyond this machine nothing is answered where there is no login", async () => {
  await using page = await openStatusPage();
  const { port } = new URL(await listen(page.server, { host: "0.0.0.0", port: 0 }));
  for (const path of ["/", "/healthz", "/api/status", "/assets/base.css", "/events"]) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: "REQUEST_REFUSED" } });
  }
});

test("a port in use is named, with what to do", async () => {
  await using other = createTcpServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  if (address === null || typeof address === "string") throw new Error("No address");
  await using page = await openStatusPage();
  await expect(listen(page.server, { host: "127.0.0.1", port: address.port })).rejects.toMatchObject({
    code: "PORT_IN_USE",
    message: expect.stringContaining(`127.0.0.1:${address.port}`),
    remedy: expect.stringContaining("--port"),
  });
});

test("an address that this machine does not have is a wrong setting", async () => {
  await using page = await openStatusPage();
  await expect(listen(page.server, { host: "203.0.113.7", port: 0 })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("open pages are told of changes as they happen", async () => {
  await using page = await openStatusPage();
  const url = await page.listen();
  const response = await fetch(`${url}/events`);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let received = "";
  const until = async (text: string) => {
    while (!received.includes(text)) {
      const chunk = await reader?.read();
      if (!chunk || chunk.done) throw new Error(`The stream ended after ${JSON.stringify(received)}`);
      received += chunk.value;
    }
  };
  await until("retry:");
  fill(page, 1, "success");
  await until("event: change");
  await reader?.cancel();
});

test("the server ends though a page is open", async () => {
  const page = await openStatusPage();
  const url = await page.listen();
  const response = await fetch(`${url}/events`);
  const read = response.text();
  await page[Symbol.asyncDispose]();
  expect(await read).toContain("retry:");
});

test("the log of the server holds no line for a request that went well", async () => {
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  await using page = await openStatusPage({ log });
  await page.server.inject("/healthz");
  expect(lines).toEqual([]);
});
