/** Reads one secret from AWS Secrets Manager. Imported only when a setting refers to one, because the client is large. */
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from "@aws-sdk/client-secrets-manager";
import { NovaError } from "../core/errors.ts";
import { redact } from "../core/redact.ts";
import type { SecretReference } from "./secret-reference.ts";

export interface ReadSecretOptions extends SecretReference {
  /** What refers to it, for the messages: `NOVADRIVE_SOURCE_URL`. */
  readonly setting: string;
  readonly signal?: AbortSignal | undefined;
}

/** The client itself waits for ever: https://github.com/aws/aws-sdk-js-v3/blob/main/supplemental-docs/CLIENTS.md */
const WAITS = { connectionTimeout: 5_000, requestTimeout: 10_000 } as const;

/** @throws NovaError CONFIG_INVALID if there is no such secret or it may not be read, SECRET_UNREACHABLE if AWS does not answer */
export async function readSecret({ signal, ...secret }: ReadSecretOptions): Promise<string> {
  signal?.throwIfAborted();
  const { id, region } = secret;
  const client = new SecretsManagerClient({ requestHandler: WAITS, ...(region !== undefined && { region }) });
  try {
    const value = await client.send(
      new GetSecretValueCommand({ SecretId: id }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    if (value.SecretString !== undefined) return value.SecretString;
    return Buffer.from(value.SecretBinary ?? []).toString("utf8");
  } catch (thrown) {
    signal?.throwIfAborted();
    throw secretError(thrown, secret);
  } finally {
    client.destroy();
  }
}

function secretError(thrown: unknown, { id, region, setting }: Omit<ReadSecretOptions, "signal">): NovaError {
  const { name, message } = thrown instanceof Error ? thrown : { name: "", message: "" };
  // AWS's own error holds the request and the answer, which do not belong in a log.
  const cause = new Error(redact(`${name}: ${message}`));
  if (name === "ResourceNotFoundException" && message.includes("staging label")) {
    return new NovaError("CONFIG_INVALID", `The secret ${id}, which ${setting} refers to, has no value yet.`, {
      remedy: `Give it one: aws secretsmanager put-secret-value --secret-id ${id} --secret-string file:///dev/stdin`,
      cause,
    });
  }
  if (name === "ResourceNotFoundException") {
    return new NovaError("CONFIG_INVALID", `There is no secret ${id} in AWS Secrets Manager.`, {
      remedy: `Correct ${setting}, which refers to it, and its region.`,
      cause,
    });
  }
  if (/AccessDenied|DecryptionFailure|InvalidRequest|UnrecognizedClient|ExpiredToken/.test(name)) {
    return new NovaError("CONFIG_INVALID", `AWS does not let this program read the secret ${id} (${name}).`, {
      remedy: `Give the role of this machine the statement ${statement(id, region)}, and kms:Decrypt if the secret has a key of its own.`,
      cause,
    });
  }
  if (/CredentialsProvider|Region is missing/.test(`${name} ${message}`)) {
    return new NovaError(
      "CONFIG_INVALID",
      `The secret ${id} cannot be read, because this machine has no AWS credentials or no region.`,
      { remedy: "Run on a box with an instance role, or set AWS_PROFILE and AWS_REGION.", cause },
    );
  }
  const answered = thrown instanceof SecretsManagerServiceException ? ` (${name})` : "";
  return new NovaError("SECRET_UNREACHABLE", `AWS Secrets Manager did not give the secret ${id}${answered}.`, {
    remedy: `Check that this machine reaches secretsmanager.${region ?? "<region>"}.amazonaws.com, port 443.`,
    cause,
  });
}

/** Where only the name is known, the six characters that AWS puts behind it are not. */
function statement(id: string, region = "<region>"): string {
  const arn = id.startsWith("arn:") ? id : `arn:aws:secretsmanager:${region}:<account>:secret:${id}-??????`;
  return JSON.stringify({ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: arn });
}
