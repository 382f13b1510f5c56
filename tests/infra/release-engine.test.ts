/** Releases under the real engine: what runs again when something changed, and what is left alone. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

describe.skipIf("missing" in pulumi)("a release", () => {
  let project: EngineProject;
  let state = { HASH: "a".repeat(64), BOX: "i-0first", SCRIPT: "install {{ BundleKey }}" };

  beforeAll(async () => {
    if (!("path" in pulumi)) return;
    project = await openProject(pulumi.path, {});
    mkdirSync(join(project.folder, "release"));
    writeFileSync(join(project.folder, "bundle.tar.gz"), "first");
    const file = join(project.folder, "Pulumi.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("main: infra/main.js", "main: release/main.js"));
  });

  afterAll(() => project[Symbol.dispose]());

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

  it("with another bundle is a new object and a new association, the old one gone before", async () => {
    writeFileSync(join(project.folder, "bundle.tar.gz"), "second");
    expect(await up({ HASH: "b".repeat(64) })).toEqual({
      // Made before the old one goes, which is seen by what came last.
      [OBJECT]: "delete-replaced",
      [ASSOCIATION]: "create-replacement",
    });
  });

  it("with another script is run again, by the same document", async () => {
    expect(await up({ SCRIPT: "install --strict {{ BundleKey }}" })).toEqual({
      [DOCUMENT]: "update",
      [ASSOCIATION]: "create-replacement",
    });
  });

  it("is brought to another box", async () => {
    expect(await up({ BOX: "i-0second" })).toEqual({ [ASSOCIATION]: "create-replacement" });
  });
});
