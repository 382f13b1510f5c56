/** The production process with login, TLS and secrets by reference: what it shows, and where the secrets are not. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { hashPassword } from "../../../runtime/config/password-hash.ts";
import { runCommand, startCommand } from "../../support/command.ts";
import { createDealership } from "../../support/dealership.ts";
import { CHEAP, PASSWORD, TLS_FILES, testTls } from "../../support/login.ts";
import { startSecretsManager } from "../../support/secrets-manager.ts";
import { makeCertificates } from "../../support/tls/certificates.ts";
import { Visitor } from "../../support/visitor.ts";

const PAGE = /status page at (https?:\/\/\S+?)["\s]/;
const LOADER_PASSWORD = "a-loader-password-of-its-own";

/** Of all files in a folder and below, what is in them. */
function textsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
}

/** Arguments and environment of a process and its children, as everybody who may look can see them. */
function visible(pid: number): string[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid);
  return [String(pid), ...children].flatMap((name) =>
    ["cmdline", "environ"].map((file) => readOrNothing(`/proc/${name}/${file}`)),
  );
}

const parentOf = (pid: string): number => Number(/\) \S (\d+)/.exec(readOrNothing(`/proc/${pid}/stat`))?.[1] ?? -1);

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Fingerprint of the certificate that a server proves to hold the key of. */
async function certificateOf(address: string): Promise<string> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

describe("novadrive serve with secrets by reference", () => {
  it("reads them once, logs in with them, and leaves them nowhere", async () => {
    await using dealership = await createDealership({ sales: 300 });
    await using aws = await startSecretsManager();
    const url = dealership.database.urlFor({ application_name: LOADER_PASSWORD });
    const hash = await hashPassword(PASSWORD, CHEAP);
    const { cert, key } = testTls();
    aws.secrets.set("novadrive/source", `${url}\n`).set("novadrive/login", `${hash}\n`).set("novadrive/key", key);
    const environment = {
      ...dealership.environment,
      ...aws.environment,
      AWS_REGION: "sa-east-1",
      NOVADRIVE_SOURCE_URL: "aws-secretsmanager:novadrive/source",
      NOVADRIVE_UI_PASSWORD_HASH: "aws-secretsmanager:novadrive/login?region=sa-east-1",
      NOVADRIVE_UI_TLS_CERT: TLS_FILES.certFile,
      NOVADRIVE_UI_TLS_KEY: "aws-secretsmanager:novadrive/key",
      NOVADRIVE_LOG_LEVEL: "debug",
    };
    const args = ["serve", "--host", "0.0.0.0", "--port", "0", "--schedule", "* * * * * *"];
    await using command = startCommand(args, { environment });
    const [, address = ""] = await command.output(PAGE);
    const visitor = new Visitor(address);
    expect(address).toMatch(/^https:/);
    expect(await certificateOf(address)).toBe(new X509Certificate(cert).fingerprint256);
    expect((await visitor.ask("/healthz")).status).toBe(200);
    expect((await visitor.ask("/api/status")).status).toBe(401);
    expect((await visitor.logIn(PASSWORD)).status).toBe(303);
    const seen: string[] = [];
    const looking = setInterval(() => seen.push(...visible(command.process.pid ?? 0)), 50);
    await command.output(/batch 2: success/);
    clearInterval(looking);
    const status = await visitor.ask("/api/status");
    expect(status.status).toBe(200);
    command.process.kill("SIGTERM");
    const { status: exit, stdout, stderr } = await command.ended;
    expect(exit).toBe(0);
    expect(aws.asked.toSorted()).toEqual(["novadrive/key", "novadrive/login", "novadrive/source"]);
    // Else nothing was looked at.
    expect(seen.filter((text) => text.includes("batch-worker")).length).toBeGreaterThan(0);
    expect(statSync(join(dealership.folder, "state", "history.db")).size).toBeGreaterThan(0);
    const password = new URL(url).password;
    const keyLines = key.split("\n").filter((line) => line.length > 20 && !line.startsWith("-----"));
    expect(keyLines.length).toBeGreaterThan(1);
    const everywhere = [stdout, stderr, status.body, ...seen, ...textsIn(dealership.folder)].join("\n");
    for (const secret of [
      ...keyLines,
      url,
      hash,
      LOADER_PASSWORD,
      PASSWORD,
      ...(password.length < 8 ? [] : [password]),
    ]) {
      expect(everywhere.includes(secret), secret).toBe(false);
    }
  });

  it("does not start where AWS does not give them, and says what to do", async () => {
    await using aws = await startSecretsManager();
    aws.refuse({ type: "AccessDeniedException", message: "no" });
    const environment = {
      ...aws.environment,
      NOVADRIVE_SOURCE_URL: "aws-secretsmanager:novadrive/source?region=sa-east-1",
    };
    for (const command of ["serve", "run", "introspect"]) {
      const { status, stderr } = await runCommand([command], { environment });
      expect(status).toBe(2);
      expect(stderr).toContain("secretsmanager:GetSecretValue");
    }
  });

  it("does not start with the key of another certificate, and says so", async () => {
    await using aws = await startSecretsManager();
    aws.secrets.set("novadrive/key", makeCertificates().key);
    const environment = {
      ...aws.environment,
      NOVADRIVE_SOURCE_URL: "postgres://loader@db.example/shop",
      NOVADRIVE_UI_TLS_CERT: TLS_FILES.certFile,
      NOVADRIVE_UI_TLS_KEY: "aws-secretsmanager:novadrive/key?region=sa-east-1",
    };
    const { status, stderr } = await runCommand(["serve"], { environment });
    expect(status).toBe(2);
    expect(stderr).toMatch(/The secret of NOVADRIVE_UI_TLS_KEY does not belong to the certificate .*\.pem\./);
  });

  it("is told by the doctor as what keeps the source from being asked", async () => {
    await using aws = await startSecretsManager();
    const environment = {
      ...aws.environment,
      NOVADRIVE_SOURCE_URL: "aws-secretsmanager:novadrive/source?region=sa-east-1",
    };
    const { stdout } = await runCommand(["doctor", "--json"], { environment });
    const { checks }: { checks: { area: string; status: string; detail: string }[] } = JSON.parse(stdout);
    expect(checks.filter(({ area }) => area === "source")).toEqual([
      expect.objectContaining({ status: "failed", detail: expect.stringContaining("no secret novadrive/source") }),
    ]);
  });
});

describe("novadrive serve beyond this machine", () => {
  const environment = { NOVADRIVE_SOURCE_URL: "postgres://loader@db.example/shop" };

  it.each(["serve", "demo"])("%s refuses without login and TLS, with the commands that mend it", async (command) => {
    const { status, stderr } = await runCommand([command, "--host", "0.0.0.0"], { environment });
    expect(status).toBe(2);
    expect(stderr).toContain("UI_UNPROTECTED");
    expect(stderr).toContain("npx novadrive password");
    expect(stderr).toContain("novadrive serve --host 127.0.0.1");
  });
});
