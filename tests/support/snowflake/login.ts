/** Who may log in, and as Snowflake refuses everybody else. */
import { createHash, createPublicKey, randomUUID, verify } from "node:crypto";
import { SnowflakeError } from "./errors.ts";

export interface User {
  readonly name: string;
  /** PEM, up to two, so that keys can be exchanged without a gap. */
  readonly publicKeys?: readonly string[] | undefined;
  /** Access key of the AWS credentials that the user's role has. */
  readonly awsAccessKeyId?: string | undefined;
  readonly role: string;
  readonly disabled?: boolean | undefined;
}

export interface LoginRequest {
  readonly ACCOUNT_NAME?: string | undefined;
  readonly LOGIN_NAME?: string | undefined;
  readonly AUTHENTICATOR?: string | undefined;
  readonly TOKEN?: string | undefined;
  readonly PROVIDER?: string | undefined;
  readonly SESSION_PARAMETERS?: Readonly<Record<string, unknown>> | undefined;
  readonly CLIENT_ENVIRONMENT?: Readonly<Record<string, unknown>> | undefined;
  readonly CLIENT_APP_ID?: string | undefined;
  readonly CLIENT_APP_VERSION?: string | undefined;
}

export interface LoginRules {
  readonly account: string;
  readonly users: () => readonly User[];
  /** Milliseconds since 1970, as the server's clock shows them. */
  readonly now: () => number;
}

/** Seconds that clocks may differ, and that a token is good for: https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting. */
const CLOCK_TOLERANCE = 60;
const ATTESTATION_LIFETIME = 900;

/** @throws SnowflakeError as the login is answered */
export function authenticate(request: LoginRequest, rules: LoginRules): User {
  const user = identify(request, rules);
  if (user.disabled === true) {
    throw new SnowflakeError("390101", "08001", "User access disabled. Contact your local system administrator.");
  }
  return user;
}

function identify(request: LoginRequest, rules: LoginRules): User {
  if (request.AUTHENTICATOR === "SNOWFLAKE_JWT") return byKeyPair(request, rules);
  if (request.AUTHENTICATOR === "WORKLOAD_IDENTITY") return byWorkloadIdentity(request, rules);
  throw new SnowflakeError("390100", "08001", "Incorrect username or password was specified.");
}

function invalidJwt(): SnowflakeError {
  return new SnowflakeError("390144", "08001", `JWT token is invalid. [${randomUUID()}]`);
}

function byKeyPair({ LOGIN_NAME, TOKEN = "" }: LoginRequest, { account, users, now }: LoginRules): User {
  const name = LOGIN_NAME?.toUpperCase();
  const user = users().find((one) => one.name === name);
  const [header = "", payload = "", signature = ""] = TOKEN.split(".");
  const claims = json(payload);
  if (!user || json(header)["alg"] !== "RS256") throw invalidJwt();
  const key = (user.publicKeys ?? []).find(
    (pem) =>
      claims["iss"] === `${account}.${user.name}.${fingerprint(pem)}` &&
      verify("RSA-SHA256", Buffer.from(`${header}.${payload}`), pem, Buffer.from(signature, "base64url")),
  );
  if (key === undefined || claims["sub"] !== `${account}.${user.name}`) throw invalidJwt();
  const [issued, expires, current] = [seconds(claims["iat"]), seconds(claims["exp"]), now() / 1000];
  const isOn = issued <= current + CLOCK_TOLERANCE && issued >= current - CLOCK_TOLERANCE && expires > current;
  if (!isOn || expires - issued > 3600) throw invalidJwt();
  return user;
}

export function fingerprint(publicKey: string): string {
  const der = createPublicKey(publicKey).export({ format: "der", type: "spki" });
  return `SHA256:${createHash("sha256").update(der).digest("base64")}`;
}

/** The driver writes milliseconds where the standard has seconds. */
function seconds(value: unknown): number {
  const number = typeof value === "number" ? value : Number.NaN;
  return number > 1e11 ? number / 1000 : number;
}

function byWorkloadIdentity({ TOKEN = "", PROVIDER }: LoginRequest, { users, now }: LoginRules): User {
  const attestation = json(TOKEN);
  const headers = attestation["headers"];
  const header = (name: string): string => {
    const value: unknown = typeof headers === "object" && headers !== null ? Reflect.get(headers, name) : undefined;
    return typeof value === "string" ? value : "";
  };
  const authorization =
    /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)\/(\d{8})\/([a-z0-9-]+)\/sts\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$/.exec(
      header("authorization"),
    );
  const [, accessKey, , region, signed = ""] = authorization ?? [];
  const host = `sts.${region}.amazonaws.com`;
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(header("x-amz-date"));
  const signedAt = date ? Date.UTC(...parts(date)) : Number.NaN;
  const isAttested =
    PROVIDER === "AWS" &&
    attestation["method"] === "POST" &&
    attestation["url"] === `https://${host}/?Action=GetCallerIdentity&Version=2011-06-15` &&
    header("host") === host &&
    header("x-snowflake-audience") === "snowflakecomputing.com" &&
    ["host", "x-amz-date", "x-snowflake-audience"].every((name) => signed.split(";").includes(name)) &&
    Math.abs(now() - signedAt) <= 1000 * ATTESTATION_LIFETIME;
  const user = users().find(({ awsAccessKeyId }) => awsAccessKeyId !== undefined && awsAccessKeyId === accessKey);
  if (!isAttested || !user) {
    throw new SnowflakeError("394601", "08001", "Workload identity federation authentication failed.");
  }
  return user;
}

function parts(match: RegExpExecArray): [number, number, number, number, number, number] {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return [year, month - 1, day, hour, minute, second];
}

function json(base64: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, "base64url").toString());
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}
