/** No key, JWT or token may reach a message, a detail, a stack, or the driver's warnings, whatever goes wrong. */
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NovaError } from "../../../../runtime/core/errors.ts";
import { redactSecrets } from "../../../../runtime/warehouse/snowflake/redact-secrets.ts";
import { hurryDriver, KEY, open, statement } from "./driver-fixture.ts";
import {
  protocolServer,
  refusal,
  resultOf,
  TOKENS,
  type Answer,
  type Asked,
  type ProtocolServer,
} from "./protocol-server.ts";

let server: ProtocolServer;
let printed: string[];
let warnings: string[];
beforeEach(async () => {
  server = await protocolServer();
  printed = [];
  warnings = [];
  hurryDriver();
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
  }
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server[Symbol.asyncDispose]();
});

/** What this test's logins sent and got. */
function secrets(): string[] {
  const jwts = server.asked.flatMap(({ body }) => (typeof body?.data?.TOKEN === "string" ? [body.data.TOKEN] : []));
  const keyLines = KEY.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
  return [...jwts, ...keyLines, TOKENS.session, TOKENS.master, "SESSIONTOKENsecret", "MASTERTOKENsecret"];
}

function everything(errors: readonly unknown[]): string {
  const shown = errors.flatMap((error) => [
    inspect(error, { depth: Infinity, showHidden: true }),
    error instanceof Error ? `${error.message} ${error.stack}` : "",
    error instanceof NovaError ? JSON.stringify(error.report()) + JSON.stringify(error.details) : "",
  ]);
  return [...shown, ...printed, ...warnings].join("\n");
}

/** Runs what a batch does, and gathers what is thrown. */
async function failures(): Promise<unknown[]> {
  const errors: unknown[] = [];
  const note = (error: unknown): void => {
    errors.push(error);
  };
  const sessions = open(server, { warnings });
  await sessions.use((session) => session.run(statement("select 1"))).catch(note);
  const transaction = sessions.use(async (session) => {
    await session.run(statement("BEGIN"));
    await session.run(statement("PUT 'file:///nowhere/a.csv.gz' @s", { step: "stage" }));
    await session.run(statement("COMMIT"));
  });
  await transaction.catch(note);
  await sessions[Symbol.asyncDispose]();
  return errors;
}

/** The worst server: it says back what it was told. */
const echo = ({ body, token }: Asked): string =>
  `no: ${JSON.stringify(body)} Authorization: Snowflake Token="${token}" ${TOKENS.master} {"masterToken":"${TOKENS.master}"} ${KEY}`;

const MISBEHAVIOURS: Readonly<Record<string, (asked: Asked, times: number) => Answer | undefined>> = {
  "a refusal that quotes everything": (asked) => refusal("390144", echo(asked), "08004"),
  "a refusal of SQL that quotes everything": (asked) => refusal("000904", echo(asked), "42000"),
  "a network policy": () =>
    refusal("390422", "Incoming request with IP/Token 1.2.3.4 is not allowed to access Snowflake.", "08004"),
  // The driver renews for as long as it is told that the new token has expired too.
  "an expired session": (asked, times) => (times > 3 ? undefined : refusal("390112", echo(asked))),
  "a session that is gone": (asked) => refusal("390111", echo(asked)),
  "an expired login": (asked) => refusal("390114", echo(asked)),
  "a broken connection": () => "drop",
  "a status 503": () => 503,
  "a status 403": () => 403,
  "an answer without data": () => ({ success: true }),
  "a refusal without a word": () => ({ success: false, message: null, code: null, data: null }),
  "an answer that is a text": (asked) => ({ success: false, message: echo(asked), code: "1", data: null }),
  "a result of another shape": () => resultOf([{ name: "at", type: "timestamp_ltz" }], [["never"]]),
};
const PLACES: Readonly<Record<string, (asked: Asked) => boolean>> = {
  "at the login": ({ path }) => path.endsWith("login-request"),
  "at the first statement of a session": ({ sql }) => sql.startsWith("ALTER SESSION"),
  "at every later statement": ({ sql, path }) =>
    (sql !== "" && !sql.startsWith("ALTER")) || path.endsWith("token-request"),
  "at the end": ({ path }) => path === "/session",
};

describe.each(Object.keys(PLACES))("%s", (place) => {
  it.each(Object.keys(MISBEHAVIOURS))("%s shows no secret", async (what) => {
    server.behave((asked, times) => (PLACES[place]?.(asked) ? MISBEHAVIOURS[what]?.(asked, times) : undefined));
    const shown = everything(await failures());
    expect(server.asked.some((asked) => PLACES[place]?.(asked))).toBe(true);
    const found = secrets().filter((secret) => shown.includes(secret));
    expect(found).toEqual([]);
  });
});

it("redaction leaves what is no secret as it is", () => {
  const text =
    "000904 (42000): SQL compilation error: error line 1 at position 7\ninvalid identifier 'TOKEN' in 01b2c3d4-0000-0000-0000-0000000000ff";
  expect(redactSecrets(text)).toBe(text);
});
