/** A release on its way to the box: the bundle's object, the document that brings it, the association that waits for it. */
import * as aws from "@pulumi/aws";
import { beforeAll, describe, expect, it } from "vitest";
import { Artifact, ArtifactBucket, artifactKey } from "../../infra/aws/artifact.ts";
import { Release, releaseDocument } from "../../infra/aws/release.ts";
import { recordComponent, type MockedProgram } from "../support/pulumi/mocked-program.ts";

const HASH = "0123456789abcdef".repeat(4);
const HASH_PARAMETER = { pattern: "^[0-9a-f]{64}$", description: "Contents of the bundle." };

describe("a release", () => {
  let program: MockedProgram;

  beforeAll(async () => {
    program = await recordComponent(() => {
      const provider = new aws.Provider("aws", { region: "sa-east-1" });
      const options = { providers: [provider], protect: true };
      const bucket = new ArtifactBucket("novadrive", { forceDestroy: false }, options);
      const artifact = new Artifact(
        "novadrive",
        { bucketName: bucket.bucketName, bundle: { file: "/tmp/bundle.tar.gz", hash: HASH } },
        options,
      );
      const release = new Release(
        "novadrive",
        {
          instanceId: "i-0box",
          script: "set -eu\ninstall-release {{ BundleHash }} {{Key}}\n",
          parameters: {
            BundleHash: { ...HASH_PARAMETER, value: HASH },
            Key: { value: artifact.key, pattern: "^releases/[0-9a-f]{64}\\.tar\\.gz$", description: "Of the object." },
          },
          timeoutSeconds: 900,
        },
        options,
      );
      return { associationId: release.associationId, key: artifact.key };
    });
  });

  it("is an object named for what is in it", () => {
    const { inputs, protect } = program.only("aws:s3/bucketObjectv2:BucketObjectv2");
    expect(inputs).toMatchObject({ bucket: "novadrive-artifacts-id", key: `releases/${HASH}.tar.gz` });
    // The next release replaces it, in a protected stack too.
    expect(protect).toBe(false);
  });

  it("is run on the box with its hash as parameter, by a new association each time, and waited for", () => {
    const association = program.only("aws:ssm/association:Association");
    expect(association.inputs).toMatchObject({
      targets: [{ key: "InstanceIds", values: ["i-0box"] }],
      parameters: {
        BundleHash: HASH,
        Key: `releases/${HASH}.tar.gz`,
      },
      documentVersion: "1",
      waitForSuccessTimeoutSeconds: 1500,
    });
    expect(association).toMatchObject({
      replaceOnChanges: ["parameters", "targets", "documentVersion", "#initerror"],
      deleteBeforeReplace: true,
      protect: false,
    });
  });

  it("has a document that is protected with the rest", () => {
    const document = program.only("aws:ssm/document:Document");
    expect(document).toMatchObject({ protect: true, inputs: { documentType: "Command", documentFormat: "JSON" } });
  });
});

describe("the document", () => {
  const parameters = { BundleHash: HASH_PARAMETER };
  const make = (script: string) => releaseDocument({ script, parameters, timeoutSeconds: 600 });

  it("runs the script as it stands, by Bash, and no longer than it may take", () => {
    expect(JSON.parse(make('echo "{{ BundleHash }}"\n\nexit 0\n'))).toEqual({
      schemaVersion: "2.2",
      description: expect.any(String),
      parameters: {
        BundleHash: { type: "String", description: "Contents of the bundle.", allowedPattern: "^[0-9a-f]{64}$" },
      },
      mainSteps: [
        {
          action: "aws:runShellScript",
          name: "release",
          inputs: {
            timeoutSeconds: "600",
            runCommand: ["#!/usr/bin/env bash", 'echo "{{ BundleHash }}"', "", "exit 0"],
          },
        },
      ],
    });
  });

  it("leaves the script its own first line", () => {
    expect(JSON.stringify(JSON.parse(make("#!/bin/bash -e\ntrue")))).toContain('["#!/bin/bash -e","true"]');
  });

  it("refuses a placeholder that SSM would not know", () => {
    expect(() => make("echo {{ BundelHash }}")).toThrow(
      "The release's script has {{ BundelHash }}, which is no parameter",
    );
  });

  it("refuses a parameter that the shell could take for more than a value", () => {
    const loose = { Note: { pattern: ".*", description: "Anything." } };
    expect(() => releaseDocument({ script: "true", parameters: loose, timeoutSeconds: 1 })).toThrow(
      "The release's parameter Note may be .*, which the shell could take for more than a value",
    );
  });

  it("refuses what SSM would find too long", () => {
    expect(() => make("#".repeat(65_536))).toThrow(/^The release's document has 6\d{4} bytes; SSM takes 65536$/);
  });
});

it.each(["", "abc", HASH.toUpperCase(), `${HASH}0`, `../${HASH}`])("%j names no bundle", (hash) => {
  expect(() => artifactKey(hash)).toThrow(RangeError);
});
