import { expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import { createTestDatabase } from "../../support/postgres.ts";

async function failure(url: string): Promise<NovaError> {
  try {
    await using source = connectSource({ url, connectTimeout: 3_000 });
    await source.preflight([]);
  } catch (thrown) {
    if (thrown instanceof NovaError) return thrown;
    throw thrown;
  }
  throw new Error("The source could be used");
}

test("each way of not getting in has its own code, and no message holds the password", async () => {
  await using db = await createTestDatabase();
  const good = new URL(db.url);
  const place = `${good.host}${good.pathname} as ${good.username}`;
  const cases = [
    [db.urlFor({ password: "s3cret" }), "SOURCE_AUTH_FAILED", place],
    [db.urlFor({ user: "nobody", password: "s3cret" }), "SOURCE_AUTH_FAILED", "as nobody"],
    [db.urlFor({ database: "nowhere" }), "SOURCE_DATABASE_MISSING", '"nowhere"'],
    [db.urlFor({ sslmode: "require" }), "SOURCE_TLS_FAILED", "does not support SSL"],
    ["postgres://ana:s3cret@127.0.0.1:1/shop", "SOURCE_UNREACHABLE", "127.0.0.1:1/shop as ana"],
    ["postgres://ana:s3cret@no-such-host.invalid/shop", "SOURCE_UNREACHABLE", "no-such-host.invalid:5432/shop as ana"],
  ] as const;
  for (const [url, code, says] of cases) {
    const error = await failure(url);
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    const { password } = new URL(url);
    expect(JSON.stringify(error.report())).not.toContain(password);
  }
});

test("a connection that dies while it is idle is replaced, and does not end the process", async () => {
  await using db = await createTestDatabase();
  await using source = connectSource({ url: db.url });
  await source.preflight([]);
  const ended = await db.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'novadrive' AND datname = current_database()",
  );
  expect(ended).toHaveLength(1);
  await expect.poll(() => source.preflight([]).then(() => "well", String)).toBe("well");
});
