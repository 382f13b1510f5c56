/** No credential and no token stands in anything that the program prints, writes or serves, whatever goes wrong. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { identifier, literal } from "../../../runtime/core/sql.ts";
import { runCommand, startCommand } from "../../support/command.ts";
import { createSnowflakeProject, type SnowflakeProject } from "../../support/project.ts";
import { TEST_KEYS } from "../../support/snowflake/test-client.ts";

/** Characters that URLs, JSON, HTML and shells write in another way. */
const PASSWORD = `pä s/w0rd:%41&"<'\\${randomBytes(6).toString("hex")}`;
const USER = `leak_${randomBytes(6).toString("hex")}`;
const OTHER_KEY = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
}).privateKey;

let project: SnowflakeProject;
let environment: Readonly<Record<string, string>>;
/** Where what was shown stands, and the text. */
const shown = new Map<string, string>();

beforeAll(async () => {
  project = await createSnowflakeProject({
    source: `CREATE TABLE orders (id int PRIMARY KEY, price numeric, note text); INSERT INTO orders VALUES (1, 1.5, 'one'), (2, 2.5, NULL)`,
    tables: `
- name: orders
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns:
    - {name: id, data_type: integer}
    - {name: price, data_type: "decimal(10,2)"}
    - {name: note, data_type: text}
`,
    files: { "models/prices.sql": "select id, price from {{ source('stage', 'orders') }}" },
  });
  await project.database.query(`CREATE ROLE ${identifier(USER)} SUPERUSER LOGIN PASSWORD ${literal(PASSWORD)}`);
  // The driver is asked to log all that it can: the program must not let it.
  const config = { common: { log_level: "TRACE", log_path: join(project.folder, "driver") } };
  for (const name of ["home", "work", "tmp"]) await mkdir(join(project.folder, name));
  await writeFile(join(project.folder, "home/sf_client_config.json"), JSON.stringify(config), { mode: 0o600 });
  environment = {
    ...project.environment,
    NOVADRIVE_SOURCE_URL: project.database.urlFor({ user: USER, password: PASSWORD }),
    NOVADRIVE_LOG_LEVEL: "debug",
    SF_CLIENT_CONFIG_FILE: join(project.folder, "home/sf_client_config.json"),
    HOME: join(project.folder, "home"),
    TMPDIR: join(project.folder, "tmp"),
    NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"),
    NODE_DEBUG: "http,https",
  };
});
afterAll(async () => {
  await project.database.query(`DROP OWNED BY ${identifier(USER)}; DROP ROLE ${identifier(USER)}`);
  await project[Symbol.asyncDispose]();
});

/** Runs a batch as a person would who wants to see everything. @returns the error's code, or the status */
async function batch(name: string, changed: Readonly<Record<string, string>> = {}): Promise<string> {
  const args = ["run", "--json", "--full-refresh"];
  const cwd = join(project.folder, "work");
  const { stdout, stderr } = await runCommand(args, { environment: { ...environment, ...changed }, cwd });
  shown.set(`${name}: standard output`, stdout).set(`${name}: standard error`, stderr);
  const result: unknown = JSON.parse(stdout);
  const code = /"code":"(\w+)"/.exec(JSON.stringify(result))?.[1];
  return code ?? /"status":"(\w+)"/.exec(JSON.stringify(result))?.[1] ?? "";
}

/** Does something for the time of one batch. */
async function during<T>(undo: () => unknown, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await undo();
  }
}

it("runs well, and fails in every way", { timeout: 180_000 }, async () => {
  const { snowflake, database, folder, projectDir } = project;
  const { server } = snowflake;
  const isCopy = ({ sql }: { readonly sql: string }): boolean => sql.startsWith("COPY");
  expect(await batch("a good batch")).toBe("success");

  const renewed = server.misbehave({ fault: "session-expired", matches: isCopy });
  expect(await batch("an expired session")).toBe("success");
  expect(renewed.hits).toBe(1);

  const expired = server.misbehave({ fault: "master-expired", matches: isCopy });
  expect(await batch("an expired login")).toMatch(/^WAREHOUSE_/);
  expect(expired.hits).toBe(1);

  const dropped = server.misbehave({ fault: "restart", matches: isCopy });
  expect(await batch("a server that goes away")).toMatch(/^WAREHOUSE_/);
  expect(dropped.hits).toBe(1);

  const otherKey = join(folder, "other.p8");
  await writeFile(otherKey, OTHER_KEY, { mode: 0o600 });
  const url = new URL(snowflake.url);
  url.searchParams.set("private_key", otherKey);
  expect(await batch("a wrong key", { NOVADRIVE_WAREHOUSE_URL: url.href })).toMatch(/^WAREHOUSE_/);

  const account = snowflake.url.replace(server.account, "NOBODY-HERE");
  expect(await batch("a wrong account", { NOVADRIVE_WAREHOUSE_URL: account })).toMatch(/^WAREHOUSE_/);

  const wrong = database.urlFor({ user: USER, password: `${PASSWORD}!` });
  expect(
    await batch("a wrong password", { NOVADRIVE_SOURCE_URL: wrong, NOVADRIVE_STATE_DIR: join(folder, "second") }),
  ).toMatch(/^SOURCE_|success/);

  await database.query("INSERT INTO orders VALUES (3, 1.555, '')");
  const refused = await during(
    () => database.query("DELETE FROM orders WHERE id = 3"),
    () => batch("a refused value"),
  );
  expect(refused).toBe("SOURCE_VALUE_INVALID");

  const model = join(projectDir, "models/prices.sql");
  const text = await readFile(model, "utf8");
  await writeFile(model, "select nothing from {{ source('stage', 'orders') }}");
  expect(
    await during(
      () => writeFile(model, text),
      () => batch("a wrong model"),
    ),
  ).toMatch(/^(MODEL|WAREHOUSE)_/);
});

/** What comes until the connection is cut. */
async function gather({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const piece of body ?? []) text += decoder.decode(piece, { stream: true });
  } catch {
    // Cut by the test.
  }
  return text;
}

it("serves the page while a batch runs", async () => {
  const args = ["serve", "--port", "0", "--schedule", "0 0 1 1 *"];
  await using command = startCommand(args, { environment, cwd: join(project.folder, "work") });
  const [, address = ""] = await command.output(/status page at (http:\/\/\S+?)["\s]/);
  const stop = new AbortController();
  const live = await fetch(new URL("/events", address), { signal: stop.signal });
  const told = gather(live);
  const headers = { origin: new URL(address).origin, "content-type": "application/json" };
  const started = await fetch(new URL("/api/run", address), { method: "POST", headers, body: "{}" });
  expect(started.status).toBe(202);
  await command.output(/batch \d+: success/);
  const { batches } = JSON.parse(await (await fetch(new URL("/api/batches", address))).text());
  const ids: number[] = batches.map(({ batch_id: id }: { readonly batch_id: number }) => id);
  expect(ids.length).toBeGreaterThan(7);
  const paths = ids.flatMap((id) => [`/batches/${id}`, `/api/batches/${id}`, `/api/batches/${id}/logs?limit=2000`]);
  for (const path of ["/", "/healthz", "/api/status", "/api/batches", "/nowhere", ...paths]) {
    const answer = await fetch(new URL(path, address));
    shown.set(path, `${JSON.stringify([...answer.headers])}${await answer.text()}`);
  }
  stop.abort();
  expect(await told).toContain("data:");
  shown.set("/events", await told);
  command.process.kill("SIGTERM");
  const { stdout, stderr } = await command.ended;
  shown.set("serve: standard output", stdout).set("serve: standard error", stderr);
});

/** Every file that is left, the keys' own and the stage's aside. */
async function filesLeft(): Promise<void> {
  const entries = await readdir(project.folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name !== "other.p8") shown.set(path, (await readFile(path)).toString("latin1"));
  }
}

/** What 40 characters of a secret have in them, wherever they begin. */
const pieces = (text: string): readonly string[] => text.match(/.{20}/gs) ?? [];

/** Texts that may not be seen: the password in all its spellings, pieces of keys and tokens. */
function secrets(): readonly string[] {
  const json = JSON.stringify(PASSWORD).slice(1, -1);
  const html = PASSWORD.replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll("'", "&#39;");
  const spelled = [PASSWORD, encodeURIComponent(PASSWORD), encodeURI(PASSWORD), json, html];
  const passwords = [...spelled, PASSWORD.slice(-12), Buffer.from(PASSWORD).toString("latin1")];
  const keys = [TEST_KEYS.privateKey, OTHER_KEY].flatMap((pem) => pieces(pem.replaceAll(/-----.*-----|\n/g, "")));
  // What all of them begin with is no secret: the header of a JWT, the version of a session's token.
  const tokens = [...project.snowflake.server.secrets].flatMap((token) =>
    token.startsWith("ey") ? token.split(".").slice(1).flatMap(pieces) : pieces(token).slice(1),
  );
  return [...new Set([...passwords, ...keys, ...tokens])];
}

/** @returns the secrets in the text, though they stand on several lines */
function found(text: string, all: readonly string[]): readonly string[] {
  const joined = text.replaceAll(/\\[nr]|\s/g, "");
  return all.filter((secret) => text.includes(secret) || joined.includes(secret));
}

it("shows none of its secrets anywhere", async () => {
  await filesLeft();
  const tokens = [...project.snowflake.server.secrets];
  const [jwts, own] = [/^ey/, /^ver:/].map((kind) => tokens.filter((token) => kind.test(token)));
  expect(jwts?.length).toBeGreaterThan(8);
  expect(own?.length).toBeGreaterThan(8);
  const names = [...shown.keys()];
  for (const kind of [/standard error/, /history\.db/, /published\.json/, /target\//, /\/logs/, /events/]) {
    expect(names.some((name) => kind.test(name))).toBe(true);
  }
  const all = secrets();
  // Of any 40 characters the search finds a piece, in one line or several.
  for (const secret of [...tokens, TEST_KEYS.privateKey, JSON.stringify(OTHER_KEY)]) {
    expect(found(`before ${secret.slice(60, 101)} behind`, all)).not.toEqual([]);
  }
  for (const password of [PASSWORD, encodeURIComponent(PASSWORD)])
    expect(found(`://x:${password}@`, all)).not.toEqual([]);
  const leaks = [...shown].flatMap(([where, text]) => found(text, all).map((secret) => `${where}: ${secret}`));
  expect(leaks).toEqual([]);
  // The driver's own log was not turned on, and nothing was left where the program ran.
  expect(await readdir(project.folder)).not.toContain("driver");
  expect(await readdir(join(project.folder, "work"))).toEqual([]);
});
