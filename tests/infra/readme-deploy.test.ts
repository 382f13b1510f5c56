/** The README's way to a running stack and back, typed as it stands there, with stand-ins for AWS and Snowflake. */
import { execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { matchesGlob } from "node:path/posix";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { makeBundle } from "../../infra/bundle/bundle.ts";
import { parsePasswordHash } from "../../runtime/config/password-hash.ts";
import { findPulumi } from "../support/pulumi/engine.ts";
import type { MadeCall } from "../support/pulumi-commands/aws.ts";
import { commandsOf, fill } from "../support/pulumi-commands/documented.ts";
import { shell, type ShellOptions, type ShellResult } from "../support/pulumi-commands/shell.ts";

const ROOT = join(import.meta.dirname, "../..");
const pulumi = findPulumi();
if ("missing" in pulumi) console.warn(`SKIPPED: the README's deploy section was not run. ${pulumi.missing}`);

const commands = commandsOf({ file: join(ROOT, "README.md"), heading: "## Deploy" });

/** Not run here, each with the reason. */
const SKIPPED: Readonly<Record<string, string>> = {
  "npm ci": "Its work is done: this test could not run without it. CI runs it on a clean machine.",
};

/** What a reader puts in. A placeholder that is not here fails. */
const placeholders = (base: string): Readonly<Record<string, string>> => ({
  "AWS user": "data.engineer",
  "AWS account": "123456789012",
  organization: "ACME",
  account: "MAIN",
  backend: `file://${join(base, "state")}`,
});

const SOURCE_URL = "postgres://loader:s3cret-of-the-source@db.example:5432/shop?sslmode=verify-full";
const PASSWORD = "five words that nobody guesses";

/** What a reader types when a command asks. */
const ANSWERS: readonly (readonly [RegExp, Pick<ShellOptions, "input" | "dialogue">])[] = [
  [/ config set --secret novadrive:sourceUrl$/, { input: `${SOURCE_URL}\n` }],
  [
    /npx novadrive password/,
    {
      dialogue: [
        ["Password of the operator (not shown): ", PASSWORD],
        ["The same again: ", PASSWORD],
      ],
    },
  ],
];

interface StoredResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

describe.skipIf("missing" in pulumi)("the README's deploy section", () => {
  let base: string;
  let folder: string;
  let environment: Record<string, string>;
  const done = new Map<string, ShellResult>();

  beforeAll(async () => {
    if (!("path" in pulumi)) return;
    base = mkdtempSync(join(tmpdir(), "novadrive-readme-"));
    folder = join(base, "project");
    const parts = ["package.json", "package-lock.json", "LICENSE", "Pulumi.yaml", "Pulumi.dev.yaml"];
    for (const part of [...parts, "infra", "runtime", "sql"]) {
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    // Packed once for all tests that have the same project.
    const bundle = await makeBundle({ root: folder, out: join(ROOT, ".bundle") });
    mkdirSync(join(folder, ".bundle"));
    symlinkSync(bundle.file, join(folder, ".bundle", basename(bundle.file)));
    for (const name of ["aws", "state"]) mkdirSync(join(base, name));
    const support = join(import.meta.dirname, "../support");
    environment = {
      PATH: [
        join(support, "pulumi-commands/bin"),
        dirname(process.execPath),
        join(support, "pulumi/providers"),
        dirname(pulumi.path),
        process.env["PATH"] ?? "",
        join(support, "pulumi/language"),
      ].join(delimiter),
      HOME: base,
      PULUMI_HOME: join(base, "pulumi"),
      NO_COLOR: "1",
      TERM: "dumb",
      NODE_COMPILE_CACHE: join(ROOT, "node_modules/.cache/novadrive/compile-cache"),
      AWS_STAND_IN: join(base, "aws"),
      // What a reader answers to Pulumi's own questions: the passphrase, and whether to go on.
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_CONFIRMATIONS: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      npm_config_update_notifier: "false",
    };
  }, 120_000);

  afterAll(() => rmSync(base, { recursive: true, force: true }));

  /** What Pulumi knows of the stack. */
  function storedResources(): readonly StoredResource[] {
    if (!("path" in pulumi)) return [];
    const text = execFileSync(pulumi.path, ["stack", "export", "--stack", "dev"], { cwd: folder, env: environment });
    const state = JSON.parse(text.toString()) as { deployment: { resources?: StoredResource[] } };
    return state.deployment.resources ?? [];
  }

  const calls = (): MadeCall[] => {
    const file = join(base, "aws/calls.jsonl");
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as MadeCall);
  };

  /** What must hold behind a command. */
  const AFTER: Readonly<Record<string, () => void>> = {
    "npm run up": () => {
      const types = storedResources().map(({ type }) => type);
      for (const type of [
        "aws:ec2/instance:Instance",
        "aws:ssm/association:Association",
        "snowflake:index/table:Table",
      ]) {
        expect(types).toContain(type);
      }
      // Nothing is left to be set by hand: the release, which waits for the runtime, has all that the runtime asks for.
      const values = storedResources().filter(({ type }) => type === "aws:secretsmanager/secretVersion:SecretVersion");
      expect(values).toHaveLength(2);
      // What operations.md leaves out of an `up` whose secrets are set by hand: the release, and nothing else.
      const operations = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
      const part = /--exclude '\*\*(\S+)\*\*' --exclude-dependents$/m.exec(operations)?.[1] ?? "";
      const left = storedResources().filter(({ urn }) => part !== "" && urn.includes(part));
      expect(left.map(({ type }) => type).toSorted()).toEqual([
        "aws:ssm/association:Association",
        "aws:ssm/document:Document",
        "novadrive:aws:Release",
      ]);
    },
    "npm run destroy": () => expect(storedResources()).toEqual([]),
  };

  it.each(commands)(
    "%s",
    async (documented) => {
      const command = fill(documented, placeholders(base));
      const reason = SKIPPED[documented];
      if (reason !== undefined) {
        console.warn(`SKIPPED: «${documented}» of the README was not run. ${reason}`);
        return;
      }
      for (const [earlier, { status }] of done) if (status !== 0) throw new Error(`«${earlier}» had failed before.`);
      const [, answer] = ANSWERS.find(([pattern]) => pattern.test(documented)) ?? [];
      const result = await shell(command, { cwd: folder, environment, scratch: base, ...answer });
      done.set(documented, result);
      expect(result.status, result.output).toBe(0);
      for (const secret of ["s3cret-of-the-source", PASSWORD, "PRIVATE KEY"])
        expect(result.output).not.toContain(secret);
      AFTER[documented]?.();
    },
    400_000,
  );

  it("ran all of it, from the first account to the last resource", () => {
    expect([...done.keys(), ...Object.keys(SKIPPED)].toSorted()).toEqual([...new Set(commands)].toSorted());
    for (const command of [...Object.keys(SKIPPED), ...Object.keys(AFTER)]) expect(commands).toContain(command);
    for (const [pattern] of ANSWERS) expect(commands.filter((command) => pattern.test(command))).toHaveLength(1);
    expect(commands.indexOf("npm run destroy")).toBe(commands.length - 1);
  });

  it("prints SQL with the very key that the stack then logs in with", () => {
    const [, sql] = [...done].find(([command]) => command.includes("deployer.sql")) ?? [];
    const key = /RSA_PUBLIC_KEY = '([A-Za-z0-9+/=]+)';/.exec(sql?.output ?? "")?.[1] ?? "";
    const own = createPublicKey(readFileSync(join(folder, "rsa_key.p8"), "utf8"));
    expect(key).toBe(own.export({ format: "der", type: "spki" }).toString("base64"));
    expect(sql?.output).not.toMatch(/<|>/);
  });

  it("keeps secrets encrypted in the stack's file, and the password as a hash alone", () => {
    const text = readFileSync(join(folder, "Pulumi.dev.yaml"), "utf8");
    expect(text).not.toContain("s3cret");
    const { config } = parse(text) as { config: Record<string, unknown> };
    for (const key of ["snowflake:privateKey", "novadrive:sourceUrl", "novadrive:uiPasswordHash"]) {
      expect(config[key]).toEqual({ secure: expect.stringMatching(/^v1:/) });
    }
    if (!("path" in pulumi)) return;
    const read = (key: string) =>
      execFileSync(pulumi.path, ["config", "get", key, "--stack", "dev"], { cwd: folder, env: environment });
    expect(read("novadrive:sourceUrl").toString().trim()).toBe(SOURCE_URL);
    expect(parsePasswordHash(read("novadrive:uiPasswordHash").toString().trim())).not.toHaveProperty("problem");
    expect(readdirSync(folder)).not.toContain("command.sh");
  });

  it("asks AWS for nothing that its policies do not allow", () => {
    const allowed = ["deployer", "operator"].flatMap((name) => {
      const text = readFileSync(join(ROOT, `infra/aws/${name}-policy.json`), "utf8");
      const { Statement } = JSON.parse(text) as { Statement: readonly { Action: string | readonly string[] }[] };
      return Statement.flatMap(({ Action }) => Action);
    });
    const actions = calls().flatMap(({ action }) => action ?? []);
    expect(new Set(actions)).toEqual(new Set(["ssm:StartSession", "logs:FilterLogEvents"]));
    for (const action of actions)
      expect(
        allowed.some((pattern) => matchesGlob(action, pattern)),
        action,
      ).toBe(true);
  });

  it("goes to the box that was made, and to its log", () => {
    const made = calls();
    const session = made.find(({ call }) => call === "ssm start-session");
    expect(session?.values["parameters"]).toContain("8080");
    expect(made.find(({ call }) => call === "logs tail")?.values["argument"]).toBe("/novadrive/dev");
    expect(done.get("npm run pulumi -- stack output")?.output).toContain(session?.values["target"]);
  });
});
