/** Without a session nothing is answered: walks every route that the server has, and what only looks like one. */
import { beforeAll, expect, test } from "vitest";
import type { PasswordHash } from "../../../runtime/config/password-hash.ts";
import { testPasswordHash } from "../../support/login.ts";
import { openStatusPage, type StatusPage } from "../../support/status-page.ts";
import { Visitor } from "../../support/visitor.ts";

/** What everybody may have: the login, the health check, and what the login page is drawn with. */
const OPEN = [
  "GET /login",
  "HEAD /login",
  "POST /login",
  "GET /healthz",
  "HEAD /healthz",
  "GET /assets/base.css",
  "GET /assets/login.css",
  "GET /assets/icon.svg",
];

let passwordHash: PasswordHash;
beforeAll(async () => {
  passwordHash = await testPasswordHash();
});

/** `GET /batches/:id`, from the tree that the router prints. */
function routesOf({ server }: StatusPage): string[] {
  const parents: string[] = [];
  return server
    .printRoutes()
    .split("\n")
    .flatMap((line) => {
      const match = /^((?:│ {3}| {4})*)(?:├|└)── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line);
      if (!match) return [];
      const [, indent = "", part = "", methods] = match;
      const depth = indent.length / 4;
      parents.length = depth;
      parents.push((parents[depth - 1] ?? "") + part);
      return methods?.split(", ").map((method) => `${method} ${parents.at(-1)}`) ?? [];
    });
}

/** A path that a route answers. */
const pathsFor = (route: string): string[] =>
  route.endsWith("*")
    ? ["page.js", "panels.css", "batch.css", "narrow.css", "format.js", "idiomorph.esm.js"].map((file) =>
        route.replace("*", file),
      )
    : [route.replace(":id", "1")];

const MADE_UP = ["", "novadrive=", `novadrive=${"A".repeat(43)}`, "novadrive=admin; __Host-novadrive=admin"];

test("every route but the login, its assets and the health check is closed", async () => {
  await using page = await openStatusPage({ passwordHash });
  for (const event of [{ type: "batch_started", batchId: 1, at: new Date(), trigger: "manual" }] as const)
    page.events.emit(event);
  const visitor = new Visitor(await page.listen());
  const walked = routesOf(page).flatMap((route) => pathsFor(route));
  // Else the walk itself is lost: these are known to exist.
  expect(walked).toEqual(
    expect.arrayContaining(["GET /", "GET /events", "POST /api/run", "GET /api/batches/1/logs", "GET /assets/page.js"]),
  );
  const closed = walked.filter((route) => !OPEN.includes(route));
  expect(closed.length).toBeGreaterThan(15);
  for (const route of closed) {
    const [method = "", path = ""] = route.split(" ");
    for (const cookie of MADE_UP) {
      for (const accept of ["text/html", "application/json"]) {
        const headers = { accept, ...(cookie !== "" && { cookie }) };
        const { status, headers: given, body } = await visitor.ask(path, { method, headers });
        if (/^(GET|HEAD) \/(?!api|events|assets)/.test(route)) {
          expect([status, given.location], route).toEqual([302, expect.stringMatching(/^\/login(\?next=|$)/)]);
          expect(body, route).toBe("");
        } else {
          expect(status, route).toBe(401);
          if (method !== "HEAD") expect(body, route).toContain("LOGIN_REQUIRED");
        }
        expect(body, route).not.toMatch(/db\.novadrive\.example|duckdb|America\/Sao_Paulo/);
      }
    }
  }
});

test("what is open is open, and says nothing of the pipeline", async () => {
  await using page = await openStatusPage({ passwordHash });
  const visitor = new Visitor(await page.listen());
  for (const route of OPEN.filter((open) => !open.startsWith("POST"))) {
    const [method = "", path = ""] = route.split(" ");
    const { status, body } = await visitor.ask(path, { method });
    expect(status, route).toBe(200);
    expect(body, route).not.toMatch(/db\.novadrive\.example|duckdb|America\/Sao_Paulo|loader@/);
  }
});

test.each([
  "/nothing",
  "/login/",
  "/LOGIN",
  "//login",
  "/login/../api/status",
  "/login/%2e%2e/api/status",
  "/healthz/../api/status",
  "/healthz;/../api/status",
  "/%68ealthz",
  "/assets/base.css/../page.js",
  "/assets/login.css/%2e%2e/page.js",
  "/assets/%62ase.css",
  "/assets//base.css",
  "/assets/",
  "/api/status/",
  "/api/status?/login",
  "/api/status#/login",
  "/API/status",
  "http://localhost/api/status",
])("%s is no way around", async (path) => {
  await using page = await openStatusPage({ passwordHash });
  const visitor = new Visitor(await page.listen());
  for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const { status, headers, body } = await visitor.ask(path, { method });
    expect([302, 401, 404], `${method} ${path}`).toContain(status);
    if (status === 302) expect(headers.location).toMatch(/^\/login/);
    expect(body).not.toMatch(/db\.novadrive\.example|idiomorph|EventSource/i);
  }
});

test("a page that was asked for is where the login leads to", async () => {
  await using page = await openStatusPage({ passwordHash });
  const visitor = new Visitor(await page.listen());
  const { headers } = await visitor.ask("/batches/3?open=passing&follow=on");
  expect(headers.location).toBe("/login?next=%2Fbatches%2F3%3Fopen%3Dpassing%26follow%3Don");
  const { body } = await visitor.ask(headers.location ?? "");
  expect(body).toContain('name="next" value="/batches/3?open=passing&amp;follow=on"');
});
