/** Releases on a box: the very script of the SSM document, against a stand-in for AWS and a systemctl that starts the unit's command line. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { releaseDocument } from "../../infra/aws/release.ts";
import { CERTIFICATE, certificateSettings, renderEnvironment } from "../../infra/box/environment.ts";
import { HASH_PARAMETER, renderReleaseScript } from "../../infra/box/release-script.ts";
import { BUCKET, environmentFor, goodProgram, makeBox, type Box } from "../support/box/box.ts";
import { testTls } from "../support/login.ts";

const BAD = `console.error("SECRET_UNREACHABLE: no such secret"); process.exit(1);\n`;

const settings = async (box: Box, file = "novadrive.env") =>
  await readFile(join(box.root, "etc/novadrive", file), "utf8");

describe("a release on the box", () => {
  it("is fetched with the role's signature, checked, started by the unit's command line, and answers", async () => {
    await using box = await makeBox();
    const { hash } = await box.publish(goodProgram("one"));
    const ran = await box.release({ hash });
    expect(ran).toMatchObject({ status: 0, stdout: `Release ${hash} runs.\n` });
    expect(await box.current()).toBe(hash);
    expect(await box.previous()).toBeUndefined();
    expect(await box.health()).toMatchObject({ words: "one", release: hash });
    expect(await settings(box)).toBe(`${environmentFor(box.port)}\n`);
    expect(existsSync(join(box.root, "opt/novadrive/incoming"))).toBe(false);
    const told = await box.told();
    expect(told).toContain("enable --quiet novadrive.service novadrive-renew.timer novadrive-report.timer");
    expect(existsSync(join(box.root, "etc/systemd/system/novadrive-report.timer"))).toBe(true);
  });

  it("is left alone when it runs already", async () => {
    await using box = await makeBox();
    const { hash } = await box.publish(goodProgram("one"));
    await box.release({ hash });
    const before = await box.told();
    // As one that was killed would have left it.
    await mkdir(join(box.root, "opt/novadrive/incoming/files"), { recursive: true });
    const again = await box.release({ hash });
    expect(existsSync(join(box.root, "opt/novadrive/incoming"))).toBe(false);
    expect(again).toMatchObject({ status: 0, stdout: `Release ${hash} runs already, with these settings.\n` });
    expect(await box.told()).toEqual(before);
  });

  it("takes the place of the one before, and so do settings alone", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const two = await box.publish(goodProgram("two"));
    await box.release({ hash: one.hash });
    expect(await box.release({ hash: two.hash })).toMatchObject({ status: 0 });
    expect(await box.health()).toMatchObject({ words: "two", release: two.hash });
    expect(await box.previous()).toBe(one.hash);
    const environment = environmentFor(box.port, { schedule: "*/5 * * * *" });
    expect(await box.release({ hash: two.hash, environment })).toMatchObject({ status: 0 });
    expect(await box.health()).toMatchObject({ words: "two", schedule: "*/5 * * * *" });
  });

  it("that does not answer gives way to the one before, with its settings, and says why", async () => {
    await using box = await makeBox();
    const good = await box.publish(goodProgram("good"));
    const bad = await box.publish(BAD);
    await box.release({ hash: good.hash });
    const ran = await box.release({ hash: bad.hash, environment: environmentFor(box.port, { schedule: "1 1 * * *" }) });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("SECRET_UNREACHABLE: no such secret");
    expect(ran.stderr).toContain(`Release ${good.hash} runs again, with its settings.`);
    expect(await box.current()).toBe(good.hash);
    expect(await box.health()).toMatchObject({ words: "good", release: good.hash });
    expect(await settings(box)).toBe(`${environmentFor(box.port)}\n`);
  });

  // There is nothing to go back to, and at a first `up` the secrets' values are set after the release: taking it away would only
  // make a second `up` necessary.
  it("that never was any other stays, so that it starts once its secret is set", async () => {
    await using box = await makeBox();
    const bad = await box.publish(BAD);
    const ran = await box.release({ hash: bad.hash });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("set the secret, and it starts by itself");
    expect(await box.current()).toBe(bad.hash);
  });

  it("is refused if the archive is not what its name says", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const two = await box.publish(goodProgram("two"));
    await box.release({ hash: one.hash });
    box.aws.objects.set(`${BUCKET}/releases/${two.hash}.tar.gz`, one.file);
    const ran = await box.release({ hash: two.hash });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("not what its name says. Nothing was changed.");
    expect(await box.releases()).toEqual([one.hash]);
    expect(await box.health()).toMatchObject({ words: "one" });
  });

  it.each([
    ["a file was changed", `echo x >>runtime/cli/novadrive.js`],
    ["a file was added", `echo x >runtime/more.js`],
    ["a file may be run that should not", `chmod 755 package.json`],
    ["a file is a link", `ln -s /etc/passwd runtime/link`],
    ["a file is missing", `rm package.json`],
  ])("is refused if %s", async (_, change) => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const other = join(box.root, "other");
    await mkdir(other);
    await run(`tar -xzf '${one.file}' && ${change} && tar -czf '${one.file}' .`, other);
    const ran = await box.release({ hash: one.hash });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("not what its name says");
    expect(await box.releases()).toEqual([]);
    expect(await box.current()).toBeUndefined();
  });

  it("leaves everything as it was if the archive is broken, the disk is full or the bucket refuses", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const two = await box.publish(goodProgram("two"));
    await box.release({ hash: one.hash });
    const told = await box.told();
    await box.stub("tar", `#!/bin/sh\necho "tar: write error: No space left on device" >&2\nexit 2\n`);
    const full = await box.release({ hash: two.hash });
    expect(full).toMatchObject({ status: 1 });
    expect(full.stderr).toContain("is the disk full?");
    await box.stub("tar", `#!/bin/sh\nexec /usr/bin/tar "$@"\n`);
    await truncate(two.file, (await stat(two.file)).size - 100);
    expect((await box.release({ hash: two.hash })).stderr).toContain("could not be unpacked");
    box.aws.objects.clear();
    expect((await box.release({ hash: two.hash })).stderr).toContain("NoSuchKey");
    expect(await box.releases()).toEqual([one.hash]);
    expect(await box.told()).toEqual(told);
    expect(await box.health()).toMatchObject({ words: "one" });
  });

  it("keeps the three newest and what is linked, and no more", async () => {
    await using box = await makeBox();
    const hashes: string[] = [];
    for (const words of ["1", "2", "3", "4"]) {
      const { hash } = await box.publish(goodProgram(words));
      hashes.push(hash);
      await box.release({ hash });
    }
    expect(await box.releases()).toEqual(hashes.slice(1).toSorted());
  });

  it("does not start beside another one", async () => {
    await using box = await makeBox();
    const { hash } = await box.publish(goodProgram("one"));
    await box.release({ hash });
    const lock = join(box.root, "opt/novadrive/lock");
    const ran = await box.script(await write(box, `exec 8>'${lock}'; flock 8; bash '${join(box.root, "../release")}'`));
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("Another release or roll-back is going on");
  });

  it("waits for a box that is not ready, and says what to look at if it never is", async () => {
    await using box = await makeBox();
    await box.stub("mountpoint", "#!/bin/sh\nexit 1\n");
    const { hash } = await box.publish(goodProgram("one"));
    const ran = await box.release({ hash });
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("systemctl status novadrive-prepare");
  });

  it("can be taken back by hand, with its settings, and brought forward again", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const two = await box.publish(goodProgram("two"));
    await box.release({ hash: one.hash });
    await box.release({ hash: two.hash, environment: environmentFor(box.port, { schedule: "1 1 * * *" }) });
    const rollback = join(box.root, "opt/novadrive/current/box/rollback.sh");
    expect(await box.script(rollback)).toMatchObject({ status: 0 });
    expect(await box.health()).toMatchObject({ words: "one", release: one.hash });
    expect(await settings(box)).toBe(`${environmentFor(box.port)}\n`);
    expect(await box.script(rollback)).toMatchObject({ status: 0 });
    expect(await box.health()).toMatchObject({ words: "two", schedule: "1 1 * * *" });
  });

  it("has nothing to be taken back to at first", async () => {
    await using box = await makeBox();
    const { hash } = await box.publish(goodProgram("one"));
    await box.release({ hash });
    const ran = await box.script(join(box.root, "opt/novadrive/current/box/rollback.sh"));
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("no release before this one");
  });
});

describe("the text of the document", () => {
  const args = { region: "sa-east-1", artifactBucket: BUCKET, environment: environmentFor(8080) };

  it("is taken by Systems Manager's form, with the hash as its only parameter", () => {
    const script = renderReleaseScript(args);
    const { name, pattern, description } = HASH_PARAMETER;
    const document = releaseDocument({ script, parameters: { [name]: { pattern, description } }, timeoutSeconds: 900 });
    expect(script.match(/\{\{.*?\}\}/g)).toEqual(["{{ BundleHash }}"]);
    expect(JSON.parse(document)).toMatchObject({ parameters: { BundleHash: { allowedPattern: pattern } } });
  });

  it("takes no value for more than a value", async () => {
    await using box = await makeBox();
    const evil = `'; touch "$NOVADRIVE_ROOT/evil"; echo '\`touch evil\`$(touch evil)"\\`;
    const { hash } = await box.publish(goodProgram("one"));
    const environment = environmentFor(box.port, { projectDir: evil });
    expect(await box.release({ hash, environment })).toMatchObject({ status: 0 });
    expect(existsSync(join(box.root, "evil"))).toBe(false);
    // Read as a shell would: what comes out is what went in.
    const read = await write(
      box,
      `. "$NOVADRIVE_ROOT/etc/novadrive/novadrive.env"; printf %s "$NOVADRIVE_PROJECT_DIR"`,
    );
    expect((await box.script(read)).stdout).toBe(evil);
  });

  it("refuses what Systems Manager would replace, and a private key", () => {
    expect(() => renderReleaseScript({ ...args, environment: 'A="{{ x }}"' })).toThrow("Systems Manager");
    expect(() => renderReleaseScript({ ...args, certificate: "-----BEGIN PRIVATE KEY-----" })).toThrow("private key");
  });

  it("brings a configured certificate", async () => {
    await using box = await makeBox();
    const { hash } = await box.publish(goodProgram("one"));
    await box.release({ hash, certificate: "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n" });
    expect(await settings(box, "certificate.pem")).toBe(
      "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
    );
  });
});

describe("the settings of the box", () => {
  const render = (settings: Readonly<Record<string, string>>) =>
    renderEnvironment({ settings, region: "sa-east-1", logGroup: "/novadrive/dev", metricNamespace: "NovaDrive/dev" });

  it("are the runtime's, and where the reports go", () => {
    const text = render({
      sourceUrl:
        "aws-secretsmanager:arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/dev/source-url-AbCdEf",
      warehouseUrl: "snowflake://acme-main/NOVADRIVE?warehouse=DEFAULT_WH&role=NOVADRIVE_RUNTIME",
      host: "0.0.0.0",
      uiTlsCert: CERTIFICATE.made.cert,
    });
    expect(text.split("\n")).toEqual([
      'AWS_REGION="sa-east-1"',
      'NOVADRIVE_HOST="0.0.0.0"',
      'NOVADRIVE_LOG_GROUP="/novadrive/dev"',
      'NOVADRIVE_METRIC_NAMESPACE="NovaDrive/dev"',
      'NOVADRIVE_SOURCE_URL="aws-secretsmanager:arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/dev/source-url-AbCdEf"',
      'NOVADRIVE_STATE_DIR="/var/lib/novadrive"',
      `NOVADRIVE_UI_TLS_CERT="${CERTIFICATE.made.cert}"`,
      'NOVADRIVE_WAREHOUSE_URL="snowflake://acme-main/NOVADRIVE?warehouse=DEFAULT_WH&role=NOVADRIVE_RUNTIME"',
    ]);
  });

  it("hold no secret", () => {
    expect(() => render({ sourceUrl: "postgres://a:secret@db/shop" })).toThrow(
      /^NOVADRIVE_SOURCE_URL is to be a reference/,
    );
    expect(() => render({ uiPasswordHash: "scrypt$x" })).toThrow("NOVADRIVE_UI_PASSWORD_HASH is to be a reference");
    const { key } = testTls();
    expect(() => render({ uiTlsKey: key })).toThrow("NOVADRIVE_UI_TLS_KEY is to be a reference");
    expect(() => render({ uiTlsKey: key.replaceAll("\n", "\\n") })).toThrow(
      "NOVADRIVE_UI_TLS_KEY is to be a reference",
    );
  });

  it("say where certificate and key are, be they given or made there", () => {
    const arn = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/dev/tls-key-AbCdEf";
    const given = render(certificateSettings(arn)).split("\n");
    expect(given).toContain(`NOVADRIVE_UI_TLS_CERT="/etc/novadrive/certificate.pem"`);
    expect(given).toContain(`NOVADRIVE_UI_TLS_KEY="aws-secretsmanager:${arn}"`);
    const made = render(certificateSettings(undefined)).split("\n");
    expect(made).toContain(`NOVADRIVE_UI_TLS_CERT="/var/lib/novadrive/tls/certificate.pem"`);
    expect(made).toContain(`NOVADRIVE_UI_TLS_KEY="/var/lib/novadrive/tls/key.pem"`);
  });

  it("are refused before anything is made if the runtime would refuse them", () => {
    expect(() => render({ schedule: "now and then" })).toThrow("NOVADRIVE_SCHEDULE must be a cron expression");
    expect(() => render({ projectDir: "a\nB=c" })).toThrow("line end");
  });
});

async function write(box: Box, text: string): Promise<string> {
  const file = join(box.root, "script");
  await writeFile(file, "");
  await appendFile(file, text);
  return file;
}

async function run(command: string, cwd: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    execFile("bash", ["-c", command], { cwd }, (error) => (error ? reject(error) : resolve()));
  });
}
