/** The login of the status page, over real connections. */
import { beforeAll, describe, expect, test, vi } from "vitest";
import { pino } from "pino";
import type { PasswordHash } from "../../../runtime/config/password-hash.ts";
import { IDLE_MS, LONGEST_MS } from "../../../runtime/web/auth/sessions.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { PASSWORD, testPasswordHash, testTls } from "../../support/login.ts";
import { openStatusPage, type StatusPage, type StatusPageOptions } from "../../support/status-page.ts";
import { Visitor } from "../../support/visitor.ts";

let passwordHash: PasswordHash;
beforeAll(async () => {
  passwordHash = await testPasswordHash();
});

interface Opened extends AsyncDisposable {
  readonly page: StatusPage;
  readonly visitor: Visitor;
  readonly another: () => Visitor;
}

async function open(options: StatusPageOptions = {}): Promise<Opened> {
  const page = await openStatusPage({ passwordHash, ...options });
  const base = await page.listen();
  return {
    page,
    visitor: new Visitor(base),
    another: () => new Visitor(base),
    [Symbol.asyncDispose]: () => page[Symbol.asyncDispose](),
  };
}

const loggedIn = async (visitor: Visitor): Promise<boolean> => (await visitor.ask("/api/status")).status === 200;

const cookiesOf = (headers: { readonly "set-cookie"?: string[] | undefined }) => headers["set-cookie"] ?? [];

describe("logging in and out", () => {
  test("opens everything with the password, and closes it again", async () => {
    await using opened = await open({ tls: testTls() });
    const { visitor } = opened;
    expect(await loggedIn(visitor)).toBe(false);
    const answer = await visitor.logIn(PASSWORD, "/batches/7?open=log");
    expect([answer.status, answer.headers.location]).toEqual([303, "/batches/7?open=log"]);
    expect(await loggedIn(visitor)).toBe(true);
    const overview = await visitor.ask("/", { headers: { accept: "text/html" } });
    expect(overview.body).toContain("Log out");
    const run = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    expect((await visitor.ask("/api/run", run)).status).toBe(202);
    const kept = new Map(visitor.cookies);
    const out = await visitor.logOut();
    expect([out.status, out.headers.location]).toEqual([303, "/login"]);
    expect([...visitor.cookies.keys()]).toEqual(["__Host-novadrive-form"]);
    for (const [name, value] of kept) visitor.cookies.set(name, value);
    expect(await loggedIn(visitor)).toBe(false);
  });

  test("over https the cookies are bound to the host, and no script can read them", async () => {
    await using opened = await open({ tls: testTls() });
    const { visitor } = opened;
    const form = await visitor.ask("/login");
    const answer = await visitor.logIn(PASSWORD);
    const given = [...cookiesOf(form.headers), ...cookiesOf(answer.headers)];
    expect(given.map((line) => line.split("=")[0])).toEqual(["__Host-novadrive-form", "__Host-novadrive"]);
    for (const line of given) {
      expect(line).toMatch(/^[^=]+=[\w-]{43};/);
      expect(line.split("; ").slice(1).toSorted()).toEqual(["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]);
    }
  });

  test("over plain http on this machine they have a plain name, and all else", async () => {
    await using opened = await open();
    const [line = ""] = cookiesOf((await opened.visitor.logIn(PASSWORD)).headers);
    expect(line).toMatch(/^novadrive=[\w-]{43};/);
    expect(line.split("; ").slice(1).toSorted()).toEqual(["HttpOnly", "Path=/", "SameSite=Strict"]);
  });

  test("a wrong password is refused without a word on why", async () => {
    const lines: string[] = [];
    const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
    await using opened = await open({ log });
    for (const wrong of ["correct horse batterx", "", "x".repeat(2_000), PASSWORD.toUpperCase()]) {
      const answer = await opened.visitor.logIn(wrong);
      expect(answer.status).toBe(401);
      expect(answer.body).toMatch(/<p [^>]*role="alert"[^>]*>That is not the password\.<\/p>/);
      expect(cookiesOf(answer.headers)).toEqual([]);
    }
    expect(await loggedIn(opened.visitor)).toBe(false);
    const refusals = lines.filter((line) => line.includes("refused: That is not the password"));
    expect(refusals).toHaveLength(4);
    for (const line of refusals) {
      expect(JSON.parse(line)).toMatchObject({ level: 40, address: "127.0.0.1", status: 401 });
    }
    expect(lines.join("\n")).not.toMatch(/horse|HORSE|xxx/);
  });

  test("who is logged in already is sent on", async () => {
    await using opened = await open();
    await opened.visitor.logIn(PASSWORD);
    const answer = await opened.visitor.ask("/login?next=%2Fbatches%2F3");
    expect([answer.status, answer.headers.location]).toEqual([303, "/batches/3"]);
  });

  test("the page that asks is kept by nobody, and obeys the policy of all pages", async () => {
    await using opened = await open();
    const { body, headers } = await opened.visitor.ask("/login");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-security-policy"]).toMatch(/default-src 'none'.*form-action 'self'/);
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    // Else the browser would say "null" where its origin belongs.
    expect(headers["referrer-policy"]).toBe("same-origin");
    expect(body).not.toMatch(/<script|<style|\sstyle=|\son\w+=/);
    expect(body).toMatch(/<label for="password">/);
    expect(body).toMatch(/autocomplete="current-password"/);
    for (const [, asset = ""] of body.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)) {
      expect((await opened.visitor.ask(asset)).status, asset).toBe(200);
    }
  });
});

describe("the end of a session", () => {
  test("comes an hour after the last request", async () => {
    const clock = new FakeClock();
    await using opened = await open({ clock });
    await opened.visitor.logIn(PASSWORD);
    await clock.advance(IDLE_MS - 1);
    expect(await loggedIn(opened.visitor)).toBe(true);
    await clock.advance(IDLE_MS - 1);
    expect(await loggedIn(opened.visitor)).toBe(true);
    await clock.advance(IDLE_MS);
    expect(await loggedIn(opened.visitor)).toBe(false);
  });

  test("comes after twelve hours however busy it is", async () => {
    const clock = new FakeClock();
    await using opened = await open({ clock });
    await opened.visitor.logIn(PASSWORD);
    for (let passed = 0; passed < LONGEST_MS - IDLE_MS / 2; passed += IDLE_MS / 2) {
      expect(await loggedIn(opened.visitor)).toBe(true);
      await clock.advance(IDLE_MS / 2);
    }
    // Half an hour ago it was used.
    expect(await loggedIn(opened.visitor)).toBe(true);
    await clock.advance(IDLE_MS / 2);
    expect(await loggedIn(opened.visitor)).toBe(false);
  });

  test("an open page keeps it in use, until the twelve hours are over; then its stream ends", async () => {
    const clock = new FakeClock();
    await using opened = await open({ clock });
    await opened.visitor.logIn(PASSWORD);
    const stream = await opened.visitor.open("/events");
    const ended = stream.toArray();
    await clock.advance(5 * IDLE_MS);
    expect(await loggedIn(opened.visitor)).toBe(true);
    await clock.advance(LONGEST_MS - 5 * IDLE_MS);
    expect(String(await ended)).toContain("retry:");
    expect(await loggedIn(opened.visitor)).toBe(false);
    expect((await opened.visitor.ask("/events")).status).toBe(401);
  });

  test("ends the streams of whoever logs out, and nobody else's", async () => {
    await using opened = await open();
    const other = opened.another();
    await opened.visitor.logIn(PASSWORD);
    await other.logIn(PASSWORD);
    const [own, others] = [await opened.visitor.open("/events"), await other.open("/events")];
    let othersEnded = false;
    others.resume().once("end", () => (othersEnded = true));
    const ended = own.toArray();
    await opened.visitor.logOut();
    await ended;
    expect(await loggedIn(other)).toBe(true);
    expect(othersEnded).toBe(false);
    others.destroy();
  });

  test("comes with the end of the process", async () => {
    const before = await open();
    await before.visitor.logIn(PASSWORD);
    await before[Symbol.asyncDispose]();
    await using after = await open();
    const visitor = new Visitor(after.visitor.base);
    for (const [name, value] of before.visitor.cookies) visitor.cookies.set(name, value);
    expect(await loggedIn(visitor)).toBe(false);
  });
});

describe("whoever tries to slip in", () => {
  test("cannot choose a session for somebody else", async () => {
    await using opened = await open();
    const planted = "A".repeat(43);
    opened.visitor.cookies.set("novadrive", planted);
    await opened.visitor.logIn(PASSWORD);
    expect(opened.visitor.cookies.get("novadrive")).not.toBe(planted);
    const attacker = opened.another();
    attacker.cookies.set("novadrive", planted);
    expect(await loggedIn(attacker)).toBe(false);
  });

  test("cannot go on with a session that its owner has renewed", async () => {
    await using opened = await open();
    await opened.visitor.logIn(PASSWORD);
    const stolen = opened.another();
    for (const [name, value] of opened.visitor.cookies) stolen.cookies.set(name, value);
    // The login page would send them on; the form is still at hand.
    const form = opened.another();
    const token = await form.tokenOn("/login");
    for (const [name, value] of form.cookies) opened.visitor.cookies.set(name, value);
    expect((await opened.visitor.submit("/login", { token, password: PASSWORD })).status).toBe(303);
    expect(await loggedIn(opened.visitor)).toBe(true);
    expect(await loggedIn(stolen)).toBe(false);
  });

  test.each([
    ["without a token", { password: PASSWORD }, {}],
    ["with a made-up token", { password: PASSWORD, token: "A".repeat(43) }, {}],
    ["from another site", { password: PASSWORD }, { origin: "https://evil.example" }],
    ["from another site that hides its name", { password: PASSWORD }, { origin: "null" }],
    ["from another site, as the browser says", { password: PASSWORD }, { "sec-fetch-site": "cross-site" }],
    ["from another port", { password: PASSWORD }, { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" }],
  ])("cannot make a browser log in %s", async (_how, fields, headers) => {
    await using opened = await open();
    const token = await opened.visitor.tokenOn("/login");
    const withToken = "origin" in headers || "sec-fetch-site" in headers ? { token, ...fields } : fields;
    const answer = await opened.visitor.submit("/login", withToken, headers);
    expect(answer.status).toBe(403);
    expect(await loggedIn(opened.visitor)).toBe(false);
  });

  test("cannot use the token of another browser's form", async () => {
    await using opened = await open();
    const token = await opened.another().tokenOn("/login");
    await opened.visitor.ask("/login");
    const answer = await opened.visitor.submit("/login", { token, password: PASSWORD });
    expect(answer.status).toBe(403);
    expect(answer.body).toContain("out of date");
  });

  test.each([
    ["without a token", {}, {}],
    ["with the login form's token", { token: "login" }, {}],
    ["from another site", { token: "logout" }, { origin: "https://evil.example" }],
  ])("cannot log somebody out %s", async (_how, fields: { token?: string }, headers) => {
    await using opened = await open();
    const loginToken = await opened.visitor.tokenOn("/login");
    await opened.visitor.submit("/login", { token: loginToken, password: PASSWORD });
    const logoutToken = await opened.visitor.tokenOn("/");
    const token = { login: loginToken, logout: logoutToken }[fields.token ?? ""];
    const answer = await opened.visitor.submit("/logout", token === undefined ? {} : { token }, headers);
    expect(answer.status).toBe(403);
    expect(await loggedIn(opened.visitor)).toBe(true);
  });

  test.each([
    "//evil.example",
    "///evil.example",
    String.raw`/\evil.example`,
    "/\t/evil.example",
    "/.//evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "evil.example",
    "/login?next=/login",
    "/logout",
    "/events",
    `/${"x".repeat(3_000)}`,
  ])("is not sent on to %j", async (next) => {
    await using opened = await open();
    expect((await opened.visitor.logIn(PASSWORD, next)).headers.location).toBe("/");
    expect((await opened.visitor.ask(`/login?next=${encodeURIComponent(next)}`)).headers.location).toBe("/");
  });

  test.each([
    ["JSON", "application/json", JSON.stringify({ password: PASSWORD }), 415],
    ["plain text", "text/plain", `password=${PASSWORD}`, 415],
    ["a file", "multipart/form-data; boundary=x", "--x--", 415],
    ["more than a form holds", "application/x-www-form-urlencoded", `password=${"x".repeat(20_000)}`, 413],
  ])("gets nowhere with %s", async (_what, type, body, status) => {
    await using opened = await open();
    await opened.visitor.ask("/login");
    const headers = { "content-type": type, accept: "text/html" };
    const answer = await opened.visitor.ask("/login", { method: "POST", headers, body });
    expect(answer.status).toBe(status);
    // Scripts and further styles are closed to them.
    expect(answer.body).not.toMatch(/page\.js|panels\.css/);
  });
});

describe("guessing", () => {
  test("ends after five tries a minute from one address, even with the right one", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      await using opened = await open();
      const { visitor } = opened;
      const token = await visitor.tokenOn("/login");
      for (let tries = 0; tries < 5; tries++) {
        expect((await visitor.submit("/login", { token, password: "a wrong password" })).status).toBe(401);
      }
      vi.setSystemTime(Date.now() + 20_000);
      const refused = await visitor.submit("/login", { token, password: PASSWORD });
      expect(refused.status).toBe(429);
      expect(refused.headers["retry-after"]).toBe("40");
      expect(refused.body).toMatch(/role="alert"[^>]*>Too many logins were tried. Wait 40 seconds/);
      vi.setSystemTime(Date.now() + 40_000);
      expect((await visitor.submit("/login", { token, password: PASSWORD })).status).toBe(303);
    } finally {
      vi.useRealTimers();
    }
  });

  /** From an address of one's own choice, which a real connection on this machine cannot have. */
  async function guess(page: StatusPage, remoteAddress: string): Promise<number> {
    const form = await page.server.inject({ url: "/login", remoteAddress });
    const token = /name="token" value="([^"]+)"/.exec(form.body)?.[1] ?? "";
    const cookie = String(form.headers["set-cookie"]).split(";")[0] ?? "";
    const payload = new URLSearchParams({ token, password: "a wrong password" }).toString();
    const headers = { cookie, "content-type": "application/x-www-form-urlencoded", "x-forwarded-for": "192.0.2.77" };
    return (await page.server.inject({ url: "/login", method: "POST", headers, payload, remoteAddress })).statusCode;
  }

  test("ends after twenty tries a minute from all of them together", async () => {
    await using page = await openStatusPage({ passwordHash });
    const answers: number[] = [];
    for (let host = 1; host <= 21; host++) answers.push(await guess(page, `198.51.100.${host}`));
    expect(answers).toEqual([...Array.from({ length: 20 }, () => 401), 429]);
  });

  test("is counted by network for IPv6, where one machine has as many addresses as it wants", async () => {
    await using page = await openStatusPage({ passwordHash });
    const answers: number[] = [];
    for (let host = 1; host <= 6; host++) answers.push(await guess(page, `2001:db8:1:2::${host}`));
    expect(answers).toEqual([401, 401, 401, 401, 401, 429]);
    expect(await guess(page, "2001:db8:1:3::1")).toBe(401);
  });
});

test("https is asked for from then on, but never of localhost", async () => {
  await using local = await open({ tls: testTls() });
  expect((await local.visitor.ask("/login")).headers).not.toHaveProperty("strict-transport-security");
  await using page = await openStatusPage({ passwordHash, tls: testTls() });
  const { port } = new URL(await page.listen("0.0.0.0"));
  const { headers, status } = await new Visitor(`https://127.0.0.1:${port}`).ask("/login");
  expect(status).toBe(200);
  expect(headers["strict-transport-security"]).toBe("max-age=15552000");
});

test("a link on another site finds its way though the strict cookie is held back at first", async () => {
  await using opened = await open();
  await opened.visitor.logIn(PASSWORD);
  const stranger = opened.another();
  const first = await stranger.ask("/batches/3", { headers: { accept: "text/html", "sec-fetch-site": "cross-site" } });
  expect(first.headers.location).toBe("/login?next=%2Fbatches%2F3");
  const login = await stranger.ask(first.headers.location ?? "", { headers: { "sec-fetch-site": "cross-site" } });
  expect(login.body).toContain('<meta http-equiv="refresh" content="0" />');
  const again = await opened.visitor.ask(first.headers.location ?? "", {
    headers: { "sec-fetch-site": "same-origin" },
  });
  expect([again.status, again.headers.location]).toEqual([303, "/batches/3"]);
  expect((await stranger.ask("/login")).body).not.toContain("http-equiv");
});
