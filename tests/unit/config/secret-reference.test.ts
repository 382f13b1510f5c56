import { describe, expect, it } from "vitest";
import { parseReference } from "../../../runtime/config/secret-reference.ts";

const ARN = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/source-AbCdEf";

describe("a reference to a secret", () => {
  it.each([
    ["aws-secretsmanager:novadrive/source", { id: "novadrive/source", region: undefined }],
    ["aws-secretsmanager:novadrive/source?region=us-gov-west-1", { id: "novadrive/source", region: "us-gov-west-1" }],
    [`aws-secretsmanager:${ARN}`, { id: ARN, region: "sa-east-1" }],
    [`aws-secretsmanager:${ARN}?region=us-east-1`, { id: ARN, region: "us-east-1" }],
    [
      `aws-secretsmanager:${ARN.replace("aws:", "aws-cn:")}`,
      { id: ARN.replace("aws:", "aws-cn:"), region: "sa-east-1" },
    ],
  ])("%s is read", (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  it.each([
    "novadrive/source",
    "aws-secretsmanager:",
    "aws-secretsmanager:?region=us-east-1",
    "aws-secretsmanager:a b",
    "aws-secretsmanager:name?region=",
    "aws-secretsmanager:name?region=mars",
    "aws-secretsmanager:name?stage=x",
    "aws-secretsmanager:name?region=us-east-1?region=us-east-2",
    "aws-secretsmanager:name?region=us-east-1.evil.example",
    "aws-secretsmanager:arn:aws:s3:::bucket",
    "aws-secretsmanager://name",
    `AWS-SECRETSMANAGER:${ARN}`,
  ])("%s is none", (text) => {
    expect(parseReference(text)).toBeUndefined();
  });
});
