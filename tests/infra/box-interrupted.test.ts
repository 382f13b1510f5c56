/** Releases and roll-backs to which something happens: killed half-way, no disk left, nothing there to go back to. */
import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentFor, goodProgram, makeBox, type Box } from "../support/box/box.ts";

const BAD = `console.error("no"); process.exit(1);\n`;
/** Takes connections, and answers none. */
const SILENT = `
import { createServer } from "node:net";
createServer(() => {}).listen(Number(process.env.NOVADRIVE_PORT), "127.0.0.1");
`;
const FIRST = "1 1 * * *";
const SECOND = "2 2 * * *";
const CERTIFICATE = (word: string) => `-----BEGIN CERTIFICATE-----\n${word}\n-----END CERTIFICATE-----`;

const inEtc = async (box: Box, file: string) => await readFile(join(box.root, "etc/novadrive", file), "utf8");
const ROLLBACK = "opt/novadrive/current/box/rollback.sh";

/** From here on the nth move of a script is the moment at which it is killed; all that lasts is done by moves. */
async function killAtMove(box: Box, move: number): Promise<void> {
  await writeFile(join(box.root, "moves"), "0");
  await box.stub(
    "mv",
    `#!/bin/bash
n=$(($(cat "$NOVADRIVE_ROOT/moves") + 1))
echo $n >"$NOVADRIVE_ROOT/moves"
if [ $n = ${move} ]; then kill -9 $PPID; exit 1; fi
exec /usr/bin/mv "$@"
`,
  );
}

const letLive = async (box: Box) => await box.stub("mv", `#!/bin/sh\nexec /usr/bin/mv "$@"\n`);

describe("a release that is killed", () => {
  // Its moves: the bundle, what ran before, certificate, settings, link; and when it answers: the one before, forget.
  it.each([3, 4, 5, 6, 7])(
    "before its move %i leaves what the next one goes back to, or goes on from",
    async (move) => {
      await using box = await makeBox();
      const one = await box.publish(goodProgram("one"));
      const two = await box.publish(goodProgram("two"));
      const bad = await box.publish(BAD);
      const first = environmentFor(box.port, { schedule: FIRST });
      const second = environmentFor(box.port, { schedule: SECOND });
      await box.release({ hash: one.hash, environment: first, certificate: CERTIFICATE("one") });
      await killAtMove(box, move);
      const killed = await box.release({ hash: two.hash, environment: second, certificate: CERTIFICATE("two") });
      expect(killed.status).not.toBe(0);
      expect(killed.stdout).toBe("");
      await letLive(box);
      // Nothing that may be read at a start is half written.
      expect([`${first}\n`, `${second}\n`]).toContain(await inEtc(box, "novadrive.env"));
      expect(["one", "two"].map((word) => `${CERTIFICATE(word)}\n`)).toContain(await inEtc(box, "certificate.pem"));

      const failed = await box.release({ hash: bad.hash, environment: second, certificate: CERTIFICATE("two") });
      const [back, words, schedule] = move === 7 ? [two, "two", SECOND] : [one, "one", FIRST];
      expect(failed.stderr).toContain(`Release ${back.hash} runs again, with its settings.`);
      expect(await box.health()).toMatchObject({ words, schedule });
      expect(await inEtc(box, "certificate.pem")).toBe(`${CERTIFICATE(words)}\n`);
      expect(existsSync(join(box.root, "opt/novadrive/unfinished"))).toBe(false);

      expect(await box.release({ hash: two.hash, environment: second })).toMatchObject({ status: 0 });
      expect(await box.health()).toMatchObject({ words: "two", schedule: SECOND });
      expect(await box.previous()).toBe(one.hash);
      expect(await inEtc(box, "previous.env")).toBe(`# Release ${one.hash}\n${first}\n`);
    },
  );

  it("at its very end, when it runs already, is brought to it", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const two = await box.publish(goodProgram("two"));
    const first = environmentFor(box.port, { schedule: FIRST });
    await box.release({ hash: one.hash, environment: first });
    await killAtMove(box, 5);
    expect((await box.release({ hash: two.hash })).status).not.toBe(0);
    await letLive(box);
    expect(await box.previous()).toBeUndefined();
    expect(await box.release({ hash: two.hash })).toMatchObject({
      status: 0,
      stdout: `Release ${two.hash} runs already, with these settings.\n`,
    });
    expect(await box.previous()).toBe(one.hash);
    expect(await inEtc(box, "previous.env")).toBe(`# Release ${one.hash}\n${first}\n`);
  });

  it("can be taken back by hand", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const bad = await box.publish(BAD);
    await box.release({ hash: one.hash, environment: environmentFor(box.port, { schedule: FIRST }) });
    // Killed while it waits for an answer that never comes.
    await box.stub("curl", `#!/bin/bash\n[[ "$*" != *healthz ]] || kill -9 $PPID\nexec /usr/bin/curl "$@"\n`);
    const killed = await box.release({ hash: bad.hash, environment: environmentFor(box.port, { schedule: SECOND }) });
    expect(killed).toMatchObject({ stdout: "", stderr: "" });
    await box.stub("curl", `#!/bin/sh\nexec /usr/bin/curl "$@"\n`);
    expect(await box.current()).toBe(bad.hash);
    expect(await box.script(join(box.root, ROLLBACK))).toMatchObject({ status: 0 });
    expect(await box.health()).toMatchObject({ words: "one", schedule: FIRST });
  });
});

describe("a roll-back that is killed", () => {
  it.each([3, 4, 5])("before its move %i can be started again, and mixes nothing up", async (move) => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const two = await box.publish(goodProgram("two"));
    await box.release({ hash: one.hash, environment: environmentFor(box.port, { schedule: FIRST }) });
    await box.release({ hash: two.hash, environment: environmentFor(box.port, { schedule: SECOND }) });
    const rollback = join(box.root, ROLLBACK);
    await killAtMove(box, move);
    expect((await box.script(rollback)).status).not.toBe(0);
    await letLive(box);
    const seen = new Set<unknown>();
    for (let time = 0; time < 2; time += 1) {
      expect(await box.script(rollback)).toMatchObject({ status: 0 });
      const { words, schedule } = healthOf(await box.health());
      expect(schedule).toBe(words === "one" ? FIRST : SECOND);
      seen.add(words);
    }
    expect(seen).toEqual(new Set(["one", "two"]));
  });
});

describe("a release", () => {
  it("that does not answer at all gives way too", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const silent = await box.publish(SILENT);
    await box.release({ hash: one.hash });
    const ran = await box.release({ hash: silent.hash, variables: { NOVADRIVE_HEALTH_SECONDS: "10" } });
    expect(ran.stderr).toContain(`Release ${one.hash} runs again`);
    expect(await box.health()).toMatchObject({ words: "one" });
  });

  it("whose predecessor is gone stays, and nothing points into nowhere", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const bad = await box.publish(BAD);
    await box.release({ hash: one.hash });
    await rm(join(box.root, "opt/novadrive/releases", one.hash), { recursive: true });
    const ran = await box.release({ hash: bad.hash });
    expect(ran.stderr).toContain("There is none before it any more");
    expect(await box.current()).toBe(bad.hash);
    expect(await box.releases()).toEqual([bad.hash]);
    const rollback = await box.script(join(box.root, ROLLBACK));
    expect(rollback).toMatchObject({ status: 1, stderr: expect.stringContaining("no release before this one") });
    expect(await box.current()).toBe(bad.hash);
  });

  it("that was damaged on the disk is fetched again", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const two = await box.publish(goodProgram("two"));
    await box.release({ hash: one.hash });
    await box.release({ hash: two.hash });
    const program = join(box.root, "opt/novadrive/releases", one.hash, "runtime/cli/novadrive.js");
    await writeFile(program, "");
    expect(await box.release({ hash: one.hash })).toMatchObject({ status: 0 });
    expect(await box.health()).toMatchObject({ words: "one" });
    expect((await readFile(program, "utf8")).length).toBeGreaterThan(0);
    expect(await box.releases()).toEqual([one.hash, two.hash].toSorted());
  });

  it("for whose settings there is no room changes nothing", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const two = await box.publish(goodProgram("two"));
    const certificate = CERTIFICATE("one");
    await box.release({ hash: one.hash, certificate });
    const told = await box.told();
    await box.stub("sync", `#!/bin/bash\n[[ "$*" != *.new ]] || { echo "No space left on device" >&2; exit 1; }\n`);
    const environment = environmentFor(box.port, { schedule: SECOND });
    const ran = await box.release({ hash: two.hash, environment, certificate: CERTIFICATE("two") });
    expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining("No space left") });
    expect(await box.current()).toBe(one.hash);
    expect(await inEtc(box, "novadrive.env")).toBe(`${environmentFor(box.port)}\n`);
    expect(await inEtc(box, "certificate.pem")).toBe(`${certificate}\n`);
    expect(await box.told()).toEqual(told);
  });

  it("has no folder that others may write, whatever the archive says", async () => {
    await using box = await makeBox();
    const one = await box.publish(goodProgram("one"));
    const other = join(box.root, "other");
    await mkdir(other);
    const repack = `tar -xzf '${one.file}' && chmod a+w runtime box && tar -czf '${one.file}' .`;
    execFileSync("bash", ["-c", repack], { cwd: other });
    expect(await box.release({ hash: one.hash })).toMatchObject({ status: 0 });
    for (const folder of ["runtime", "box"]) {
      const { mode } = await stat(join(box.root, "opt/novadrive/releases", one.hash, folder));
      expect(mode & 0o022).toBe(0);
    }
  });

  it("cannot be held up by others: they may not open what it locks", async () => {
    await using box = await makeBox();
    const { hash } = await box.publish(goodProgram("one"));
    await mkdir(join(box.root, "opt/novadrive"), { recursive: true });
    await appendFile(join(box.root, "opt/novadrive/lock"), "");
    await box.release({ hash });
    expect((await stat(join(box.root, "opt/novadrive/lock"))).mode & 0o777).toBe(0o600);
  });
});

/** Answers while the certificate is that of the key in the secret. */
const withKey = (words: string) => `
import { readFileSync } from "node:fs";
import { join } from "node:path";
const root = join(import.meta.dirname, "../../../../../..");
const certificate = readFileSync(join(root, "etc/novadrive/certificate.pem"), "utf8");
if (!certificate.includes(readFileSync(join(root, "secret"), "utf8"))) process.exit(1);
${goodProgram(words).replace(/^import .* from "node:path";$/m, 'import { basename } from "node:path";')}`;

describe("a release that brings another certificate and fails", () => {
  it.each([
    ["was changed too", "two"],
    ["was not changed", "one"],
  ])("gives way to the one before, with the certificate that the key belongs to, where the key %s", async (_, key) => {
    await using box = await makeBox();
    const secret = async (text: string) => await writeFile(join(box.root, "secret"), text);
    await secret("one");
    const one = await box.publish(withKey("one"));
    const bad = await box.publish(BAD);
    expect(await box.release({ hash: one.hash, certificate: CERTIFICATE("one") })).toMatchObject({ status: 0 });
    await secret(key);
    const ran = await box.release({ hash: bad.hash, certificate: CERTIFICATE("two") });
    expect(ran.stderr).toContain(`Release ${one.hash} runs again`);
    expect(await inEtc(box, "certificate.pem")).toBe(`${CERTIFICATE(key)}\n`);
    expect(await box.health()).toMatchObject({ words: "one" });
  });
});

function healthOf(answer: unknown): { readonly words: unknown; readonly schedule: unknown } {
  if (typeof answer !== "object" || answer === null || !("words" in answer) || !("schedule" in answer)) {
    throw new Error(`That is no health: ${JSON.stringify(answer)}`);
  }
  return answer;
}
