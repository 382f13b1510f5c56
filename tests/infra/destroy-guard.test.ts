/** `npm run destroy`, with a `pulumi` on PATH that writes down what it was asked. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { examine } from "../../infra/destroy-guard.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Answers from files beside it; a question without one fails as Pulumi does where no stack is selected. */
const FAKE = `#!/bin/sh
echo "$*" >> "$FAKE_FOLDER/asked"
case "$*" in
  "config --json"*) answer=config ;;
  "stack export"*) answer=export ;;
  *) echo "ran $*, validation skipped: $PULUMI_OPTION_SKIP_CONFIG_VALIDATION"; exit "\${FAKE_STATUS:-0}" ;;
esac
cat "$FAKE_FOLDER/$answer" && exit 0
echo "error: no stack selected" >&2
exit 255
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "novadrive-guard-"));
  writeFileSync(join(folder, "pulumi"), FAKE);
  chmodSync(join(folder, "pulumi"), 0o755);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Stack {
  /** What the configuration says; undefined: nothing. */
  readonly kind?: string | undefined;
  readonly protectedUrns?: readonly string[];
}

function stack({ kind, protectedUrns = [] }: Stack): void {
  const config = kind === undefined ? {} : { "novadrive:kind": { value: kind, secret: false } };
  writeFileSync(join(folder, "config"), JSON.stringify(config));
  const resources = [
    { urn: "urn:pulumi:it::novadrive::pulumi:pulumi:Stack::novadrive-it" },
    ...protectedUrns.map((urn) => ({ urn, protect: true })),
  ];
  writeFileSync(join(folder, "export"), JSON.stringify({ version: 3, deployment: { resources } }));
}

function run(args: readonly string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "infra/pulumi.ts"), ...args], {
    encoding: "utf8",
    env: {
      PATH: [folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      FAKE_FOLDER: folder,
      ...environment,
    },
  });
  const asked = join(folder, "asked");
  const questions = existsSync(asked) ? readFileSync(asked, "utf8").trim().split("\n") : [];
  return { status, stdout, stderr, questions, destroyed: questions.some((one) => /\b(destroy|down|dn)\b/.test(one)) };
}

/** The guard alone, in this process. */
function look(args: readonly string[]): { refusal: string | undefined; questions: string[] } {
  const questions: string[] = [];
  const { refusal } = examine(args, (question) => {
    questions.push(question.join(" "));
    const answer = join(folder, question[0] === "config" ? "config" : "export");
    if (!existsSync(answer)) return { status: 255, stdout: "", stderr: "error: no stack selected\n" };
    return { status: 0, stdout: readFileSync(answer, "utf8"), stderr: "" };
  });
  return { refusal, questions };
}

const VOLUME = "urn:pulumi:it::novadrive::novadrive:aws:StateVolume$aws:ebs/volume:Volume::novadrive-state";

describe("destroy", () => {
  it.each([
    ["with a preview", []],
    ["without one", ["--yes", "--skip-preview"]],
    ["in part", ["--yes", "--target", VOLUME]],
  ])("refuses a stack of kind prod %s, and says how to do it on purpose", (_how, flags) => {
    stack({ kind: "prod" });
    const { status, stdout, stderr, destroyed } = run(["destroy", ...flags]);
    expect(destroyed).toBe(false);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^This stack is of kind prod, which is not destroyed\. Nothing was changed\./);
    expect(stderr).toContain("\n  1. npm run pulumi -- config set novadrive:kind dev\n  2. npm run up ");
    expect(stderr).toContain("\nthen npm run destroy. ");
  });

  it.each(["destroy", "down", "dn"])("knows itself by its other names: %s", (command) => {
    stack({ kind: "prod" });
    for (const args of [
      [command],
      ["-C", folder, command],
      ["--color=never", command, "-y"],
      ["--stack", "it", command],
    ]) {
      expect(look(args).refusal).toMatch(/kind prod, which is not destroyed/);
    }
  });

  it("takes a stack that says nothing, or nothing known, for one of kind prod", () => {
    stack({});
    expect(look(["destroy"]).refusal).toMatch(/of kind prod, which is not destroyed/);
    stack({ kind: "staging" });
    expect(look(["destroy"]).refusal).toMatch(/of kind staging, which is not destroyed/);
  });

  it("refuses a stack that is configured as dev while the last update left it protected", () => {
    stack({ kind: "dev", protectedUrns: [VOLUME] });
    const { refusal } = look(["destroy", "--yes"]);
    expect(refusal).toContain(
      "1 of its resources are still protected (novadrive:aws:StateVolume$aws:ebs/volume:Volume novadrive-state)",
    );
    expect(refusal).toContain("  2. npm run up ");
  });

  it("hands a disposable stack to Pulumi, flags and exit status included", () => {
    stack({ kind: "dev" });
    const flags = ["--yes", "--skip-preview", "--message", "good bye"];
    const { status, stdout } = run(["destroy", ...flags], { FAKE_STATUS: "7" });
    expect(stdout).toBe("ran destroy --yes --skip-preview --message good bye, validation skipped: true\n");
    expect(status).toBe(7);
  });

  it.each([
    [["--stack", "it"], "--stack=it"],
    [["--stack=it"], "--stack=it"],
    [["-s", "it"], "--stack=it"],
    [["-sit"], "--stack=it"],
    [["-C", "/elsewhere"], "--cwd=/elsewhere"],
    [["-C/elsewhere"], "--cwd=/elsewhere"],
    [["--cwd=/elsewhere"], "--cwd=/elsewhere"],
  ])("asks about the very stack that %j names", (flags, question) => {
    stack({ kind: "prod" });
    const { questions, refusal } = look(["destroy", ...flags]);
    expect(questions).toEqual([
      `config --json --non-interactive ${question}`,
      `stack export --non-interactive ${question}`,
    ]);
    expect(refusal).toContain(`config set novadrive:kind dev ${question}\n`);
    expect(refusal).toContain(`npm run up -- ${question} `);
  });

  it("reads the file that is to be the configuration", () => {
    stack({ kind: "prod" });
    expect(look(["destroy", "--config-file", "other.yaml"]).questions).toEqual([
      "config --json --non-interactive --config-file=other.yaml",
      "stack export --non-interactive",
    ]);
  });

  it("stops at what Pulumi cannot answer, in Pulumi's words", () => {
    const { status, stderr, destroyed } = run(["destroy"]);
    expect({ status, destroyed }).toEqual({ status: 1, destroyed: false });
    expect(stderr).toContain("error: no stack selected\nNothing was destroyed.\n");
  });

  it("still explains itself", () => {
    stack({ kind: "prod" });
    expect(look(["destroy", "--help"])).toEqual({ refusal: undefined, questions: [] });
  });
});

describe("every other command", () => {
  it.each([
    ["up", "--yes"],
    ["preview"],
    ["config", "set", "novadrive:kind", "dev"],
    ["stack", "select", "destroy"],
    ["--non-interactive", "config", "set", "novadrive:kind", "destroy"],
  ])("goes to Pulumi as it is: %s %s", (...args) => {
    expect(look(args)).toEqual({ refusal: undefined, questions: [] });
  });

  it("reaches Pulumi unchanged", () => {
    const { stdout, questions } = run(["up", "--yes", "--message", "a b"]);
    expect(stdout).toBe("ran up --yes --message a b, validation skipped: true\n");
    expect(questions).toHaveLength(1);
  });

  it("says where to get Pulumi when there is none", () => {
    rmSync(join(folder, "pulumi"));
    for (const command of ["up", "destroy"]) {
      const { status, stderr } = run([command]);
      expect(status).toBe(1);
      expect(stderr).toContain("There is no pulumi on PATH: install it (https://www.pulumi.com/docs/install/).");
    }
  });
});

it("is what the npm scripts run", () => {
  const { scripts } = parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
  for (const command of ["up", "preview", "destroy"]) expect(scripts[command]).toBe(`node infra/pulumi.ts ${command}`);
  expect(scripts["pulumi"]).toBe("node infra/pulumi.ts");
});
