import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { describeAddress, sourceConnection } from "../../../runtime/source/connection.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";

const CERTIFICATE = join(import.meta.dirname, "../../support/tls/test-only-certificate.pem");
const KEY = join(import.meta.dirname, "../../support/tls/test-only-key.pem");

const thrownBy = (url: string): unknown => {
  try {
    sourceConnection(url);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
};

test("the address names host, port, database and user, decoded, without the password", () => {
  const { address } = sourceConnection("postgresql://ana%40x:p%40ss@db.example.com/sh%C3%B3p?sslmode=disable");
  expect(describeAddress(address)).toBe("db.example.com:5432/shóp as ana@x");
});

test.each([
  "not a url s3cret",
  "mysql://ana:s3cret@db/shop",
  "postgres://ana:s3cret@db:99999/shop",
  "postgres://ana:s3cret@db/shop?sslmode=prefer",
  "postgres://ana:s3cret@db/shop?sslmode=verify-ca",
])("%s cannot be used, and the message does not repeat it", (url) => {
  const thrown = thrownBy(url);
  expect(thrown).toMatchObject({ code: "CONFIG_INVALID" });
  expect(String(thrown)).not.toContain("s3cret");
});

test("a certificate file that is missing is named", () => {
  expect(thrownBy("postgres://a@db/x?sslmode=verify-full&sslrootcert=/nowhere/ca.pem")).toMatchObject({
    code: "SOURCE_TLS_FAILED",
    message: expect.stringContaining("/nowhere/ca.pem"),
  });
});

/** Speaks TLS with a certificate of its own for `localhost`, and refuses every password: who gets that far trusted it. */
async function tlsServer() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("S");
      const secure = new TLSSocket(socket, { isServer: true, key: readFileSync(KEY), cert: readFileSync(CERTIFICATE) });
      secure.on("error", () => {});
      secure.once("data", () => {
        const fields = Buffer.from("SFATAL\0C28P01\0Mpassword authentication failed\0\0");
        const head = Buffer.from([0x45, 0, 0, 0, fields.length + 4]);
        secure.end(Buffer.concat([head, fields]));
      });
    });
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test.each([
  ["localhost", "require", false, "trusted"],
  ["localhost", "require", true, "trusted"],
  ["localhost", "verify-ca", true, "trusted"],
  ["127.0.0.1", "verify-ca", true, "trusted"],
  ["localhost", "verify-full", true, "trusted"],
  ["127.0.0.1", "verify-full", true, "refused"],
  ["localhost", "verify-full", false, "refused"],
])("%s with sslmode=%s (its authority known: %s) is %s", async (host, mode, known, outcome) => {
  await using server = await tlsServer();
  const root = known ? `&sslrootcert=${encodeURIComponent(CERTIFICATE)}` : "";
  await using source = connectSource({ url: `postgres://a:b@${host}:${server.port}/x?sslmode=${mode}${root}` });
  const thrown: unknown = await source.preflight([]).catch((error: unknown) => error);
  if (!(thrown instanceof NovaError)) throw new Error("The server let somebody in");
  expect(thrown.code).toBe(outcome === "trusted" ? "SOURCE_AUTH_FAILED" : "SOURCE_TLS_FAILED");
  if (!known && outcome === "refused") expect(thrown.remedy).toContain("sslrootcert=");
});
