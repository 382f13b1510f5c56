/** What the box does by itself: makes its disk ready, makes a certificate, reports to CloudWatch. */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { METRICS } from "../../infra/aws/alarms.ts";
import { readJournal, type LogEvent } from "../../infra/box/files/journal-events.ts";
import { readTls } from "../../runtime/web/tls.ts";
import { TLS_FILES } from "../support/login.ts";
import { openssl } from "../support/tls/certificates.ts";
import { environmentFor, FILES, goodProgram, makeBox, type Box } from "../support/box/box.ts";

const PREPARE = join(FILES, "../prepare.sh");

describe("the disk of the state", () => {
  /** Disks are files here; what would mount them says so. */
  async function boxWithDisks(
    disks: Readonly<Record<string, string>>,
  ): Promise<Box & { disk: (name: string) => string }> {
    const box = await makeBox();
    const disk = (name: string) => join(box.root, name);
    const lines = Object.entries(disks).map(([name, serial]) => `${disk(name)} ${serial}`);
    for (const name of Object.keys(disks)) await writeFile(disk(name), "");
    for (const name of Object.keys(disks)) await truncate(disk(name), 16 << 20);
    await box.stub("lsblk", `#!/bin/sh\ncat <<'END'\n${lines.join("\n")}\nEND\n`);
    await box.stub("mountpoint", `#!/bin/sh\ntest -e "$NOVADRIVE_ROOT/mounted"\n`);
    await box.stub("mount", `#!/bin/sh\necho "$*" >>"$NOVADRIVE_ROOT/mounted"\n`);
    await box.stub("useradd", `#!/bin/sh\necho "$*" >>"$NOVADRIVE_ROOT/users"\n`);
    return Object.assign(box, { disk });
  }

  const prepare = async (box: Box, changes: Readonly<Record<string, string>> = {}) =>
    await box.script(PREPARE, {
      VOLUME_ID: "vol-0abc",
      XEN_DEVICE: "/dev/no-such-device",
      NOVADRIVE_STATE: join(box.root, "mnt"),
      NOVADRIVE_DISK_SECONDS: "0",
      ...changes,
    });

  /** Leaves the file system as one that was not unmounted. */
  async function damage(box: Box & { disk: (name: string) => string }, change: string): Promise<void> {
    const file = join(box.root, "damage");
    const commands = [change, "set_super_value state 0"].map(
      (text) => `debugfs -w -R '${text}' '${box.disk("state")}'`,
    );
    await writeFile(file, commands.join(" && "));
    expect(await box.script(file)).toMatchObject({ status: 0 });
  }

  const mounted = async (box: Box) => await readFile(join(box.root, "mounted"), "utf8");

  it("is found by its volume's id, made a file system when blank, and mounted by UUID", async () => {
    await using box = await boxWithDisks({ root: "vol0root", other: "vol0other", state: "vol0abc" });
    const ran = await prepare(box);
    expect(ran).toMatchObject({ status: 0 });
    expect(await mounted(box)).toMatch(/^-o noatime,nodev,nosuid,noexec UUID=[0-9a-f-]{36} .*\/mnt\n$/);
    for (const untouched of ["root", "other"]) {
      expect((await readFile(box.disk(untouched))).every((byte) => byte === 0)).toBe(true);
    }
  });

  it("keeps what is on it at the next start, and on the next box", async () => {
    await using box = await boxWithDisks({ state: "vol0abc" });
    await prepare(box);
    const first = await mounted(box);
    await writeFile(join(box.root, "mounted"), "");
    await box.stub("mountpoint", "#!/bin/sh\nexit 1\n");
    await prepare(box);
    expect(await mounted(box)).toBe(first);
  });

  it("is left alone once it is mounted", async () => {
    await using box = await boxWithDisks({ state: "vol0abc" });
    await writeFile(join(box.root, "mounted"), "by systemd\n");
    expect(await prepare(box)).toMatchObject({ status: 0 });
    expect(await mounted(box)).toBe("by systemd\n");
  });

  it("is on its Xen name where disks have no serial number", async () => {
    await using box = await boxWithDisks({ xvdf: "" });
    expect(await prepare(box, { XEN_DEVICE: box.disk("xvdf") })).toMatchObject({ status: 0 });
    expect(await mounted(box)).toContain("UUID=");
  });

  it("is never made anew if something is on it, known or not", async () => {
    await using box = await boxWithDisks({ state: "vol0abc" });
    const bytes = Buffer.alloc(16 << 20);
    bytes.write("somebody's data", 5000);
    await writeFile(box.disk("state"), bytes);
    const ran = await prepare(box);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("is not blank either: it is left alone");
    expect(bytes.equals(await readFile(box.disk("state")))).toBe(true);
    expect(existsSync(join(box.root, "mounted"))).toBe(false);
  });

  it("is repaired after a loss of power, or left for somebody to look at", async () => {
    await using box = await boxWithDisks({ state: "vol0abc" });
    await prepare(box);
    await rm(join(box.root, "mounted"));
    await damage(box, "set_super_value free_blocks_count 1");
    expect(await prepare(box)).toMatchObject({ status: 0 });
    expect(await mounted(box)).toContain("UUID=");
    await rm(join(box.root, "mounted"));
    await damage(box, "clri <2>");
    const ran = await prepare(box);
    expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining("is damaged; e2fsck") });
    expect(existsSync(join(box.root, "mounted"))).toBe(false);
  });

  it("is waited for, and named if it never comes", async () => {
    await using box = await boxWithDisks({ root: "vol0root" });
    const ran = await prepare(box);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("The volume vol-0abc is not attached.");
  });

  it("belongs to a user that is made once", async () => {
    await using box = await boxWithDisks({ state: "vol0abc" });
    await box.stub("getent", "#!/bin/sh\nexit 2\n");
    await prepare(box);
    expect(await readFile(join(box.root, "users"), "utf8")).toMatch(
      /^--system .*--shell \/usr\/sbin\/nologin novadrive\n$/,
    );
  });
});

describe("the certificate of the page", () => {
  const make = async (box: Box, certificate = join(box.root, "tls/certificate.pem"), words: readonly string[] = []) =>
    await box.script(
      join(FILES, "certificate.sh"),
      { STATE_DIRECTORY: box.root, NOVADRIVE_UI_TLS_CERT: certificate },
      words,
    );
  /** A clock that has been set back, as far as a script asks for the time. */
  const LONG_AGO = `#!/bin/sh\n[ "$*" != +%s ] || { echo 1000000000; exit; }\nexec /usr/bin/date "$@"\n`;
  const ADDRESS = "meta-data/public-ipv4";
  const generateKey = () => openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);

  it("is made on the box for its address, once, and is one that the page takes", async () => {
    await using box = await makeBox();
    expect(await make(box)).toMatchObject({ status: 0 });
    const certFile = join(box.root, "tls/certificate.pem");
    const keyFile = join(box.root, "tls/key.pem");
    const warnings: string[] = [];
    const tls = readTls({ certFile, key: keyFile, now: new Date(), warn: (message) => warnings.push(message) });
    expect(warnings).toEqual([]);
    const certificate = new X509Certificate(tls?.cert ?? "");
    expect(certificate.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:203.0.113.9");
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    await make(box);
    expect(await readFile(certFile, "utf8")).toBe(tls?.cert);
  });

  it.each([
    ["has lost its key", async (box: Box) => await rm(join(box.root, "tls/key.pem"))],
    ["has half a key", async (box: Box) => await truncate(join(box.root, "tls/key.pem"), 60)],
    ["is half there", async (box: Box) => await truncate(join(box.root, "tls/certificate.pem"), 200)],
    ["is another key's", async (box: Box) => await writeFile(join(box.root, "tls/key.pem"), generateKey())],
    ["begins later, by a clock that was wrong", async (box: Box) => await box.stub("date", LONG_AGO)],
    ["is for another address", async (box: Box) => void box.aws.metadata.set(ADDRESS, "203.0.113.77")],
    [
      "ends soon",
      async (box: Box) => {
        const folder = join(box.root, "tls");
        openssl(["req", "-x509", "-key", "key.pem", "-days", "29", "-subj", "/CN=x", "-out", "certificate.pem"], {
          cwd: folder,
        });
      },
    ],
  ])("is made anew where it %s, which the daily look finds too", async (_, happen) => {
    await using box = await makeBox();
    await make(box);
    const certFile = join(box.root, "tls/certificate.pem");
    expect(await make(box, certFile, ["due"])).toMatchObject({ status: 1, stdout: "" });
    await happen(box);
    const before = await readFile(certFile, "utf8");
    expect(await make(box, certFile, ["due"])).toMatchObject({ status: 0 });
    expect(await readFile(certFile, "utf8")).toBe(before);
    expect(await make(box)).toMatchObject({ status: 0 });
    expect(await readFile(certFile, "utf8")).not.toBe(before);
    const key = join(box.root, "tls/key.pem");
    const tls = readTls({ certFile, key, now: new Date(), warn: () => undefined });
    expect(new X509Certificate(tls?.cert ?? "").checkIP(box.aws.metadata.get(ADDRESS) ?? "")).toBeDefined();
  });

  it("stays as it is where the box cannot ask for its address", async () => {
    await using box = await makeBox();
    await make(box);
    const certFile = join(box.root, "tls/certificate.pem");
    const before = await readFile(certFile, "utf8");
    await box.stub("curl", "#!/bin/sh\nexit 7\n");
    expect(await make(box)).toMatchObject({ status: 0 });
    expect(await readFile(certFile, "utf8")).toBe(before);
  });

  it("is announced to end where it was configured", async () => {
    await using box = await makeBox();
    const { certFile } = TLS_FILES;
    expect(await make(box, certFile, ["due"])).toMatchObject({ status: 1, stdout: "" });
    const soon = join(box.root, "soon.pem");
    openssl(["req", "-x509", "-key", TLS_FILES.keyFile, "-days", "13", "-subj", "/CN=x", "-out", soon]);
    const { status, stdout } = await make(box, soon, ["due"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/soon\.pem ends on .* GMT: give another one by pulumi config set tlsCertificate/);
  });

  it("is left alone where one was configured, or none", async () => {
    await using box = await makeBox();
    expect(await make(box, "/etc/novadrive/certificate.pem")).toMatchObject({ status: 0 });
    expect(await make(box, "")).toMatchObject({ status: 0 });
    expect(existsSync(join(box.root, "tls"))).toBe(false);
  });
});

describe("the report to CloudWatch", () => {
  const line = (message: unknown, at: number) =>
    JSON.stringify({ MESSAGE: message, __REALTIME_TIMESTAMP: String(at * 1000) });
  const AT = Date.now() - 3_600_000;

  async function released(): Promise<Box> {
    const box = await makeBox();
    const { hash } = await box.publish(goodProgram("one"));
    await box.release({ hash });
    await mkdir(join(box.root, "report"));
    await box.stub(
      "journalctl",
      `#!/bin/bash
from=0
for word in "$@"; do case "$word" in --after-cursor=*) from="\${word#*=}" ;; esac; done
awk -v from="$from" 'NR > from { sub(/^{/, "{\\"__CURSOR\\":\\"" NR "\\","); print }' "$NOVADRIVE_ROOT/journal"
`,
    );
    return box;
  }

  const report = async (box: Box) => {
    const variables = Object.fromEntries(
      environmentFor(box.port)
        .split("\n")
        .map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 2, -1)]),
    );
    const file = join(box.root, "opt/novadrive/current/box/report.sh");
    return await box.script(file, { ...variables, STATE_DIRECTORY: join(box.root, "report") });
  };
  const journal = async (box: Box, lines: readonly string[]) =>
    await writeFile(join(box.root, "journal"), lines.map((text) => `${text}\n`).join(""));
  const sent = (box: Box, action: string) => box.aws.requests.filter((request) => request.action === action);
  const metrics = (box: Box) =>
    sent(box, "PutMetricData").map(({ body }) => {
      const form = new URLSearchParams(body);
      expect(form.get("Namespace")).toBe("NovaDrive/test");
      return [form.get("MetricData.member.1.MetricName"), form.get("MetricData.member.1.Value")];
    });

  it("has a heartbeat while the page answers, the lines of the journal once, and how batches ended", async () => {
    await using box = await released();
    const lines = [
      line(JSON.stringify({ level: 30, msg: "batch 7 started (schedule)", batch: 7, trigger: "schedule" }), AT),
      line(JSON.stringify({ level: 30, batch: 7, status: "success", msg: "batch 7: success in 2 s" }), AT + 2000),
      line(JSON.stringify({ level: 30, batch: 8, status: "failed", msg: "batch 8: failed in 2 s" }), AT + 4000),
      line(
        JSON.stringify({ level: 50, code: "DISK_FULL", msg: "the batch of 2026-11-22 failed: DISK_FULL: no" }),
        AT + 5000,
      ),
      line([...Buffer.from("bytes, ó")], AT + 3000),
      line(null, AT + 6000),
    ];
    await journal(box, lines);
    expect(await report(box)).toMatchObject({ status: 0, stderr: "" });
    const [events, ...more] = sent(box, "PutLogEvents").map(({ body }): { logEvents: { message: string }[] } =>
      JSON.parse(body),
    );
    expect(more).toEqual([]);
    expect(events).toMatchObject({ logGroupName: "/novadrive/test", logStreamName: "i-0box" });
    expect(events?.logEvents).toHaveLength(5);
    expect(events?.logEvents[2]).toEqual({ timestamp: AT + 3000, message: "bytes, ó" });
    const { heartbeat, batchFailed } = METRICS;
    expect(metrics(box)).toEqual([
      [heartbeat, "1"],
      [batchFailed, "0"],
      [batchFailed, "1"],
      [batchFailed, "1"],
    ]);

    await journal(box, [...lines, line("one more", AT + 60_000)]);
    await report(box);
    expect(sent(box, "CreateLogStream")).toHaveLength(1);
    expect(JSON.parse(sent(box, "PutLogEvents")[1]?.body ?? "{}")).toMatchObject({
      logEvents: [{ message: "one more" }],
    });
  });

  it("has no heartbeat when the page does not answer, but the log that says why", async () => {
    await using box = await released();
    process.kill(Number(await readFile(join(box.root, "pid"), "utf8")), "SIGKILL");
    await journal(box, [line("SECRET_UNREACHABLE", AT)]);
    await report(box);
    expect(metrics(box)).toEqual([]);
    expect(sent(box, "PutLogEvents")).toHaveLength(1);
  });

  it("brings a backlog bit by bit, each bit once", async () => {
    await using box = await released();
    // A request may not be of more than a day; what is not read any more is more than a pipe holds.
    const count = 12;
    const long = "x".repeat(100_000);
    const days = Array.from({ length: count }, (_, index) => line(`${index} ${long}`, AT + index * 86_400_000));
    await journal(box, days);
    const arrived: number[] = [];
    const most: number[] = [];
    for (let minute = 0; minute < 3; minute += 1) {
      const before = sent(box, "PutLogEvents").length;
      expect(await report(box)).toMatchObject({ status: 0, stderr: "" });
      const requests = sent(box, "PutLogEvents").slice(before);
      most.push(requests.length);
      for (const { body } of requests) {
        const { logEvents }: { logEvents: { message: string }[] } = JSON.parse(body);
        arrived.push(...logEvents.map(({ message }) => Number.parseInt(message, 10)));
      }
    }
    expect(arrived).toEqual(Array.from({ length: count }, (_, index) => index));
    expect(most).toEqual([8, 4, 0]);
  });

  it("makes the stream anew where somebody deleted it", async () => {
    await using box = await released();
    await journal(box, [line("one", AT)]);
    await report(box);
    await journal(box, [line("one", AT), line("two", AT)]);
    box.aws.refusals.set("PutLogEvents", '{"__type":"ResourceNotFoundException"}');
    expect((await report(box)).status).toBe(1);
    box.aws.refusals.clear();
    expect(await report(box)).toMatchObject({ status: 0 });
    expect(sent(box, "CreateLogStream")).toHaveLength(2);
    expect(sent(box, "PutLogEvents").at(-1)?.body).toContain("two");
  });

  it("sends no metric that CloudWatch would refuse, or that alarms nobody any more", async () => {
    const now = new Date(AT);
    const at = (hours: number, status: string) =>
      line(JSON.stringify({ batch: 1, status, msg: "batch 1" }), AT + hours * 3_600_000);
    const measured: unknown[] = [];
    const lines = [at(-25, "failed"), at(-23, "failed"), at(-1, "success"), at(5, "failed")];
    await readJournal({ lines, send: () => undefined, measure: (metric) => measured.push(metric), now });
    expect(measured).toEqual([
      { name: "BatchFailed", value: 1, at: new Date(AT - 23 * 3_600_000) },
      { name: "BatchFailed", value: 0, at: new Date(AT - 3_600_000) },
      { name: "BatchFailed", value: 1, at: now },
    ]);
  });

  it("brings later what CloudWatch did not take", async () => {
    await using box = await released();
    box.aws.refusals.set("PutLogEvents", '{"__type":"ThrottlingException"}');
    await journal(box, [line("a line", AT)]);
    const ran = await report(box);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("ThrottlingException");
    box.aws.refusals.clear();
    await report(box);
    expect(JSON.parse(sent(box, "PutLogEvents")[0]?.body ?? "{}")).toMatchObject({
      logEvents: [{ message: "a line" }],
    });
  });

  const ended = (batch: number, status: string, at: number) =>
    line(JSON.stringify({ batch, status, msg: `batch ${batch}` }), at);

  it("keeps a metric that CloudWatch refuses until it is taken, and sends the lines only once", async () => {
    await using box = await released();
    box.aws.refusals.set("PutMetricData", "<Code>Throttling</Code>");
    const lines = [ended(7, "success", AT), ended(8, "failed", AT + 1000)];
    await journal(box, lines);
    for (let minute = 0; minute < 2; minute += 1) {
      const ran = await report(box);
      expect(ran.status).toBe(1);
      expect(ran.stderr).toContain(`CloudWatch took no metric ${METRICS.batchFailed}: <Code>Throttling</Code>`);
      expect(sent(box, "PutLogEvents")).toHaveLength(1);
    }
    await journal(box, [...lines, ended(9, "failed", AT + 2000)]);
    expect((await report(box)).status).toBe(1);
    expect(sent(box, "PutLogEvents")).toHaveLength(2);
    box.aws.refusals.clear();
    const { heartbeat, batchFailed } = METRICS;
    expect(await report(box)).toMatchObject({ status: 0, stderr: "" });
    const arrived = [heartbeat, batchFailed, batchFailed, batchFailed].map((name, index) => [name, "1011"[index]]);
    expect(metrics(box)).toEqual(arrived);
    expect(await report(box)).toMatchObject({ status: 0, stderr: "" });
    expect(metrics(box)).toEqual([...arrived, [heartbeat, "1"]]);
    expect(sent(box, "PutLogEvents")).toHaveLength(2);
  });

  it.each([
    { what: "tries the next metric after one that is refused", code: 22, tried: 3, arrives: 1 },
    { what: "tries no other metric where CloudWatch is out of reach", code: 7, tried: 1, arrives: 0 },
  ])("$what", async ({ code, tried, arrives }) => {
    await using box = await released();
    const batches = '*" Action=PutMetricData "*MetricName=BatchFailed*';
    await box.stub(
      "curl",
      `#!/bin/sh\ncase " $* " in ${batches}) echo . >>"$NOVADRIVE_ROOT/tried" ;; esac\n` +
        `case " $* " in ${batches}Value=1*) exit ${code} ;; esac\nexec /usr/bin/curl "$@"\n`,
    );
    await journal(box, [ended(1, "failed", AT), ended(2, "success", AT + 1000), ended(3, "failed", AT + 2000)]);
    expect((await report(box)).status).toBe(1);
    expect((await readFile(join(box.root, "tried"), "utf8")).trim().split("\n")).toHaveLength(tried);
    expect(metrics(box).filter(([name]) => name === METRICS.batchFailed)).toHaveLength(arrives);
    const waiting = (await readFile(join(box.root, "report/metrics"), "utf8")).trim().split("\n");
    expect(waiting).toHaveLength(3 - arrives);
  });

  it("lets no metric wait for longer than it would alarm, nor more than one report sends", async () => {
    await using box = await released();
    const at = (ago: number) => new Date(Date.now() - ago).toISOString();
    const recent = Array.from({ length: 60 }, (_, index) => `BatchFailed ${index} ${at(3_600_000 - index)}`);
    const waiting = [`BatchFailed 777 ${at(25 * 3_600_000)}`, ...recent, `BatchFailed 888 ${at(25 * 3_600_000)}`];
    await writeFile(join(box.root, "report/metrics"), `${waiting.join("\n")}\n`);
    await journal(box, []);
    expect(await report(box)).toMatchObject({ status: 0, stderr: "" });
    const values = metrics(box).flatMap(([name, value]) => (name === METRICS.batchFailed ? [Number(value)] : []));
    expect(values).toEqual(Array.from({ length: 50 }, (_, index) => 10 + index));
  });

  it("has every line once, in requests that CloudWatch takes", async () => {
    const entry = fc.record({
      at: fc.integer({ min: 0, max: 4 * 86_400_000 }),
      bytes: fc.integer({ min: 1, max: 300_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 60 }), async (entries) => {
        const ordered = entries.toSorted((a, b) => a.at - b.at);
        const lines = ordered.map(({ at, bytes }, index) =>
          line(`${index} ${"x".repeat(bytes)}`, AT + at).replace("{", `{"__CURSOR":"${index + 1}",`),
        );
        const requests: (readonly LogEvent[])[] = [];
        // As many reports as it takes, each from where the one before ended.
        for (let from = 0; from < lines.length;) {
          const cursor = await readJournal({
            lines: lines.slice(from),
            send: (events) => requests.push(events),
            measure: () => undefined,
            now: new Date(AT),
          });
          expect(Number(cursor)).toBeGreaterThan(from);
          from = Number(cursor);
        }
        expect(requests.flat().map(({ message }) => Number.parseInt(message, 10))).toEqual(
          ordered.map((_, index) => index),
        );
        for (const events of requests) {
          const times = events.map(({ timestamp }) => timestamp);
          expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(86_400_000);
          expect(events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0)).toBeLessThan(1_048_576);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("goes on where the stream is there already, and keeps to what one request may hold", async () => {
    await using box = await released();
    box.aws.refusals.set("CreateLogStream", '{"__type":"ResourceAlreadyExistsException"}');
    const long = "x".repeat(200_000);
    await journal(box, [
      ...Array.from({ length: 7 }, (_, index) => line(long, AT + index)),
      line("next day", AT + 86_400_000),
    ]);
    expect(await report(box)).toMatchObject({ status: 0 });
    const counts = sent(box, "PutLogEvents").map(({ body }) => {
      const { logEvents }: { logEvents: unknown[] } = JSON.parse(body);
      return logEvents.length;
    });
    expect(counts).toEqual([4, 3, 1]);
  });
});
