/** Reads one secret from AWS Secrets Manager. Imported only when a URL refers to one, because the client is large. */
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from "@aws-sdk/client-secrets-manager";
import { NovaError } from "../../core/errors.ts";
import { driverFailure } from "./driver-failure.ts";

export interface ReadSecretOptions {
  /** ARN or name. */
  readonly id: string;
  /** Without it, as AWS's own default chain says (AWS_REGION, the profile). */
  readonly region?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws NovaError CONFIG_INVALID if there is no such secret or it may not be read, WAREHOUSE_UNREACHABLE if AWS does not answer */
export async function readSecret({ id, region, signal }: ReadSecretOptions): Promise<string> {
  signal?.throwIfAborted();
  const client = new SecretsManagerClient(region === undefined ? {} : { region });
  try {
    const secret = await client.send(
      new GetSecretValueCommand({ SecretId: id }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    if (secret.SecretString !== undefined) return secret.SecretString;
    return Buffer.from(secret.SecretBinary ?? []).toString("utf8");
  } catch (thrown) {
    signal?.throwIfAborted();
    throw secretError(thrown, id);
  } finally {
    client.destroy();
  }
}

function secretError(thrown: unknown, id: string): NovaError {
  const name = thrown instanceof Error ? thrown.name : "";
  const cause = driverFailure(thrown);
  const grant = `Allow secretsmanager:GetSecretValue on ${id} (and kms:Decrypt on its key) to the role of this machine.`;
  if (name === "ResourceNotFoundException") {
    return new NovaError("CONFIG_INVALID", `There is no secret ${id} in AWS Secrets Manager.`, {
      remedy: "Correct private_key in NOVADRIVE_WAREHOUSE_URL, and its region.",
      cause,
    });
  }
  if (/AccessDenied|DecryptionFailure|InvalidRequest|UnrecognizedClient|ExpiredToken/.test(name)) {
    return new NovaError("CONFIG_INVALID", `AWS does not let this program read the secret ${id} (${name}).`, {
      remedy: grant,
      cause,
    });
  }
  if (/CredentialsProvider|Region is missing/.test(`${name} ${thrown instanceof Error ? thrown.message : ""}`)) {
    return new NovaError(
      "CONFIG_INVALID",
      `The secret ${id} cannot be read, because this machine has no AWS credentials or no region.`,
      { remedy: "Run on a box with an instance role, or set AWS_PROFILE and AWS_REGION.", cause },
    );
  }
  const answered = thrown instanceof SecretsManagerServiceException ? ` (${name})` : "";
  return new NovaError("WAREHOUSE_UNREACHABLE", `AWS Secrets Manager did not give the secret ${id}${answered}.`, {
    remedy: "Check that this machine reaches secretsmanager.<region>.amazonaws.com, port 443.",
    cause,
  });
}
