/** A box in a folder: the very scripts that the box runs, with a systemctl that starts the unit's command line. */
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { renderEnvironment } from "../../../infra/box/environment.ts";
import { HASH_PARAMETER, renderReleaseScript } from "../../../infra/box/release-script.ts";
import { packFiles, type Bundle } from "../../../infra/bundle/bundle.ts";
import { filesBelow } from "../../../infra/bundle/files.ts";
import { startBoxAws, type BoxAws } from "./aws.ts";

export const FILES = join(import.meta.dirname, "../../../infra/box/files");
export const BUCKET = "test-artifacts";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Box extends AsyncDisposable {
  readonly root: string;
  readonly port: number;
  readonly aws: BoxAws;
  /** Puts a release with this program in the bucket. */
  publish(program: string): Promise<Bundle>;
  /** Runs the release's script as Systems Manager would. */
  release(options: {
    readonly hash: string;
    readonly environment?: string;
    readonly certificate?: string | undefined;
    /** Of the script's process. */
    readonly variables?: Readonly<Record<string, string>>;
  }): Promise<Ran>;
  script(file: string, environment?: Readonly<Record<string, string>>, words?: readonly string[]): Promise<Ran>;
  /** A program on the PATH before all others. */
  stub(name: string, text: string): Promise<void>;
  /** Hash of the release that runs. */
  current(): Promise<string | undefined>;
  /** Hash of the release that a roll-back would go to. */
  previous(): Promise<string | undefined>;
  releases(): Promise<string[]>;
  /** What systemctl was told. */
  told(): Promise<string[]>;
  /** What /healthz says. */
  health(): Promise<unknown>;
}

/** A page that answers; the words tell one release from another. */
export const goodProgram = (words: string) => `
import { createServer } from "node:http";
import { basename, join } from "node:path";
const release = basename(join(import.meta.dirname, "../.."));
const body = JSON.stringify({ status: "ok", words: ${JSON.stringify(words)}, schedule: process.env.NOVADRIVE_SCHEDULE, release });
createServer((_, response) => response.end(body)).listen(Number(process.env.NOVADRIVE_PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

export const environmentFor = (port: number, settings: Readonly<Record<string, string>> = {}) =>
  renderEnvironment({
    settings: { port: String(port), ...settings },
    region: "sa-east-1",
    logGroup: "/novadrive/test",
    metricNamespace: "NovaDrive/test",
  });

/** Starts what the installed unit says, with its settings, and tells of restarts once the process has ended by itself. */
const SYSTEMCTL = `#!/bin/bash
echo "$*" >>"$NOVADRIVE_ROOT/systemctl.log"
pid="$(cat "$NOVADRIVE_ROOT/pid" 2>/dev/null)"
# What has ended but was not buried yet is still in the list of processes.
alive() { [ -n "$pid" ] && ! grep -qs ") Z " "/proc/$pid/stat" && [ -d "/proc/$pid" ]; }
case "$1 $2" in
"show "*) alive && echo 0 || echo 3 ;;
"restart novadrive.service")
  if alive && kill "$pid"; then while alive; do sleep 0.02; done; fi
  command="$(sed -n "s#^ExecStart=##p" "$NOVADRIVE_ROOT/etc/systemd/system/novadrive.service" | sed "s#/opt/#$NOVADRIVE_ROOT/opt/#g")"
  set -a
  . "$NOVADRIVE_ROOT/etc/novadrive/novadrive.env"
  set +a
  setsid $command >"$NOVADRIVE_ROOT/service.log" 2>&1 </dev/null 9>&- &
  echo $! >"$NOVADRIVE_ROOT/pid"
  ;;
esac
exit 0
`;

export async function makeBox(): Promise<Box> {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-box-"));
  const root = join(folder, "root");
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  await mkdir(root);
  const aws = await startBoxAws();
  const port = await freePort();
  const stub = async (name: string, text: string) => {
    await writeFile(join(bin, name), text);
    await chmod(join(bin, name), 0o755);
  };
  await stub("systemctl", SYSTEMCTL);
  await stub("journalctl", `#!/bin/sh\ncat "$NOVADRIVE_ROOT/service.log"\n`);
  await stub("mountpoint", "#!/bin/sh\nexit 0\n");
  await stub("getent", "#!/bin/sh\nexit 0\n");
  const script: Box["script"] = async (file, environment = {}, words = []) =>
    await new Promise((resolve) => {
      const env = {
        PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`,
        NOVADRIVE_ROOT: root,
        NOVADRIVE_HEALTH_SECONDS: "20",
        NOVADRIVE_HEALTH_PAUSE: "0.1",
        NOVADRIVE_PREPARE_SECONDS: "0",
        AWS_REGION: "sa-east-1",
        ...aws.environment,
        ...environment,
      };
      execFile("bash", [file, ...words], { env }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
      );
    });
  let published = 0;
  return {
    root,
    port,
    aws,
    stub,
    script,
    current: async () =>
      await readlink(join(root, "opt/novadrive/current")).then(
        (target) => basename(target),
        () => undefined,
      ),
    previous: async () =>
      /^# Release (.*)\n/.exec(await readFile(join(root, "etc/novadrive/previous.env"), "utf8").catch(() => ""))?.[1],
    async publish(program) {
      const source = join(folder, `source-${++published}`);
      await mkdir(join(source, "bin"), { recursive: true });
      await mkdir(join(source, "runtime/cli"), { recursive: true });
      await writeFile(join(source, "bin/node"), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
      await writeFile(join(source, "runtime/cli/novadrive.js"), program);
      await writeFile(join(source, "package.json"), `{"type":"module"}\n`);
      await cp(FILES, join(source, "box"), { recursive: true });
      const files = await filesBelow({ folder: source, to: "", keep: () => true });
      const bundle = await packFiles({ out: join(folder, "bundles"), files });
      aws.objects.set(`${BUCKET}/releases/${bundle.hash}.tar.gz`, bundle.file);
      return bundle;
    },
    async release({ hash, environment = environmentFor(port), certificate, variables }) {
      const text = renderReleaseScript({ region: "sa-east-1", artifactBucket: BUCKET, environment, certificate });
      const file = join(folder, "release");
      await writeFile(file, text.replaceAll(`{{ ${HASH_PARAMETER.name} }}`, hash));
      return await script(file, variables);
    },
    releases: async () => (await readdir(join(root, "opt/novadrive/releases"))).toSorted(),
    told: async () => (await readFile(join(root, "systemctl.log"), "utf8").catch(() => "")).trim().split("\n"),
    health: async () => await (await fetch(`http://127.0.0.1:${port}/healthz`)).json(),
    async [Symbol.asyncDispose]() {
      const pid = Number(await readFile(join(root, "pid"), "utf8").catch(() => "0"));
      try {
        if (pid > 0) process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await aws[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}
