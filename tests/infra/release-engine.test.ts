/** Releases under the real engine: what runs again when something changed, and what is left alone. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cloud } from "../support/pulumi/cloud.ts";
import { Changes, findPulumi, openProject, type EngineProject } from "../support/pulumi/engine.ts";

const pulumi = findPulumi();
if ("missing" in pulumi) console.warn(`SKIPPED: releases were not tried under the engine. ${pulumi.missing}`);

/** A stack that is nothing but a bucket and a release into it. */
const PROGRAM = `
import * as aws from "@pulumi/aws";
import { Artifact, ArtifactBucket } from "../infra/aws/artifact.ts";
import { Release } from "../infra/aws/release.ts";

export default async () => {
  const provider = new aws.Provider("aws", { region: "sa-east-1" });
  const options = { providers: [provider], protect: true };
  const { bucketName } = new ArtifactBucket("novadrive", { forceDestroy: true }, options);
  const artifact = new Artifact("novadrive", { bucketName, bundle: { file: "BUNDLE", hash: "HASH" } }, options);
  new Release("novadrive", {
    instanceId: "BOX",
    script: "SCRIPT",
    parameters: {
      BundleKey: { value: artifact.key, pattern: "^releases/[0-9a-f]{64}[.]tar[.]gz$", description: "Object of the bundle." },
    },
    timeoutSeconds: 900,
  }, options);
};
`;

const ASSOCIATION = "aws:ssm/association:Association novadrive-release";
const DOCUMENT = "aws:ssm/document:Document novadrive-release";
const OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2 novadrive-bundle";

describe.skipIf("missing" in pulumi)("a release", { timeout: 180_000 }, () => {
  let project: EngineProject;
  let cloudFolder: string;
  let cloud: Cloud;
  let state = { HASH: "a".repeat(64), BOX: "i-0first", SCRIPT: "install {{ BundleKey }}" };

  beforeAll(async () => {
    if (!("path" in pulumi)) return;
    cloudFolder = mkdtempSync(join(tmpdir(), "novadrive-cloud-"));
    cloud = new Cloud(cloudFolder);
    project = await openProject(pulumi.path, { STAND_IN_CLOUD: cloudFolder });
    mkdirSync(join(project.folder, "release"));
    writeFileSync(join(project.folder, "bundle.tar.gz"), "first");
    const file = join(project.folder, "Pulumi.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("main: infra/main.js", "main: release/main.js"));
  });

  afterAll(() => {
    project[Symbol.dispose]();
    rmSync(cloudFolder, { recursive: true });
  });

  const associations = () => cloud.objects().filter(({ type }) => type === "aws:ssm/association:Association");

  const bundles = () =>
    cloud
      .objects()
      .filter(({ type }) => type === "aws:s3/bucketObjectv2:BucketObjectv2")
      .map(({ state: { key } }) => String(key))
      .toSorted();

  async function up(change: Partial<typeof state>): Promise<Readonly<Record<string, string>>> {
    state = { ...state, ...change };
    const words = { ...state, BUNDLE: join(project.folder, "bundle.tar.gz") };
    const text = Object.entries(words).reduce((program, [word, value]) => program.replace(word, value), PROGRAM);
    writeFileSync(join(project.folder, "release/main.js"), text);
    const changes = new Changes();
    await project.stack.up({ onEvent: changes.record });
    return changes.operations;
  }

  it("is made once", async () => {
    const operations = await up({});
    expect(operations).toMatchObject({ [OBJECT]: "create", [DOCUMENT]: "create", [ASSOCIATION]: "create" });
    expect(await up({})).toEqual({});
  });

  it("with another bundle is a new object, beside the old one, and a new association", async () => {
    writeFileSync(join(project.folder, "bundle.tar.gz"), "second");
    expect(await up({ HASH: "b".repeat(64) })).toEqual({
      [OBJECT]: "delete-replaced",
      [ASSOCIATION]: "create-replacement",
    });
    expect(bundles()).toEqual([`releases/${"a".repeat(64)}.tar.gz`, `releases/${"b".repeat(64)}.tar.gz`]);
  });

  it("with another script is run again, by the same document", async () => {
    expect(await up({ SCRIPT: "install --strict {{ BundleKey }}" })).toEqual({
      [DOCUMENT]: "update",
      [ASSOCIATION]: "create-replacement",
    });
  });

  it("that did not succeed on the box is made anew by the next update, which waits for it again", async () => {
    const { workspace } = project.stack;
    const usual = { ...workspace.envVars };
    // The provider makes the association first, and then waits in vain for it to succeed.
    workspace.envVars = { ...usual, STAND_IN_FAILS: "aws:ssm/association:Association" };
    await expect(up({ SCRIPT: "install --strictly {{ BundleKey }}" })).rejects.toThrow(/told to let this fail/);
    workspace.envVars = usual;
    const [failed] = associations();
    expect(await up({})).toEqual({ [ASSOCIATION]: "create-replacement" });
    expect(associations()).toHaveLength(1);
    expect(associations()[0]?.id).not.toBe(failed?.id);
    expect(await up({})).toEqual({});
  });

  it("that goes back, behind one that failed, has its bundle in the bucket afterwards too", async () => {
    const { workspace } = project.stack;
    const usual = { ...workspace.envVars };
    const before = state.HASH;
    workspace.envVars = { ...usual, STAND_IN_FAILS: "aws:ssm/association:Association" };
    await expect(up({ HASH: "c".repeat(64) })).rejects.toThrow(/told to let this fail/);
    workspace.envVars = usual;
    await up({ HASH: before });
    await up({});
    expect(bundles()).toContain(`releases/${before}.tar.gz`);
  });

  it("is brought to another box", async () => {
    expect(await up({ BOX: "i-0second" })).toEqual({ [ASSOCIATION]: "create-replacement" });
  });
});
