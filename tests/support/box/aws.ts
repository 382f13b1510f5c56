/** Stands in for what the box talks to: its metadata service, S3, CloudWatch. Refuses what is not signed as AWS demands it. */
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

const KEYS = { id: "ASIATESTONLY", secret: "test+only/secret", token: "test-only-token" };

export interface BoxAws extends AsyncDisposable {
  /** Files by bucket and key: `bucket/releases/….tar.gz`. */
  readonly objects: Map<string, string>;
  /** Bodies of requests to CloudWatch, with the action. */
  readonly requests: { readonly service: string; readonly action: string; readonly body: string }[];
  /** What the metadata service says, by path. */
  readonly metadata: Map<string, string>;
  /** CloudWatch answers these actions with status 400 and the text. */
  readonly refusals: Map<string, string>;
  readonly environment: Readonly<Record<string, string>>;
}

export async function startBoxAws(): Promise<BoxAws> {
  const objects: BoxAws["objects"] = new Map();
  const requests: BoxAws["requests"] = [];
  const metadata: BoxAws["metadata"] = new Map(Object.entries(METADATA));
  const refusals: BoxAws["refusals"] = new Map();
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const { pathname } = new URL(request.url ?? "", "http://box");
      const answer = (status: number, words: string) => response.writeHead(status).end(words);
      if (pathname === "/latest/api/token") return answer(request.method === "PUT" ? 200 : 405, "metadata-token");
      if (pathname.startsWith("/latest/")) {
        if (request.headers["x-aws-ec2-metadata-token"] !== "metadata-token") return answer(401, "");
        const value = metadata.get(pathname.slice("/latest/".length));
        return answer(value === undefined ? 404 : 200, value ?? "");
      }
      const [, service = "", ...rest] = pathname.split("/");
      const problem = signatureProblem(request, { service, pathname, body });
      if (problem !== undefined) return answer(403, `<Code>SignatureDoesNotMatch</Code>${problem}`);
      if (service === "s3") {
        const file = objects.get(rest.join("/"));
        if (file === undefined || !existsSync(file)) return answer(404, "<Code>NoSuchKey</Code>");
        return createReadStream(file).pipe(response);
      }
      const target = request.headers["x-amz-target"];
      const action =
        typeof target === "string" ? target.replace(/.*\./, "") : (new URLSearchParams(body).get("Action") ?? "");
      const refusal = refusals.get(action);
      if (refusal !== undefined) return answer(400, refusal);
      requests.push({ service, action, body });
      return answer(200, "{}");
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    objects,
    requests,
    metadata,
    refusals,
    environment: { NOVADRIVE_METADATA: url, NOVADRIVE_AWS_URL: url },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const METADATA: Readonly<Record<string, string>> = {
  "meta-data/iam/security-credentials/": "box-role",
  "meta-data/iam/security-credentials/box-role": JSON.stringify(
    { Code: "Success", AccessKeyId: KEYS.id, SecretAccessKey: KEYS.secret, Token: KEYS.token },
    null,
    2,
  ),
  "meta-data/instance-id": "i-0box",
  "meta-data/public-ipv4": "203.0.113.9",
  "services/domain": "amazonaws.com",
};

const hmac = (key: string | Buffer, value: string) => createHmac("sha256", key).update(value).digest();
const sha256 = (value: string) => createHash("sha256").update(value).digest("hex");

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
function signatureProblem(
  request: IncomingMessage,
  { service, pathname, body }: { readonly service: string; readonly pathname: string; readonly body: string },
): string | undefined {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/;
  const match = pattern.exec(request.headers.authorization ?? "");
  if (!match) return "no signature";
  const [, id, day = "", region = "", signedService = "", names = "", signature] = match;
  if (id !== KEYS.id || signedService !== service) return "not of this role, or for another service";
  if (request.headers["x-amz-security-token"] !== KEYS.token) return "no token";
  const signed = names.split(";");
  if (!["host", "x-amz-date", "x-amz-security-token"].every((name) => signed.includes(name))) return `only ${names}`;
  if (service === "s3" && request.headers["x-amz-content-sha256"] === undefined) return "no x-amz-content-sha256";
  const stated = request.headers["x-amz-content-sha256"];
  const canonical = [
    request.method,
    pathname,
    "",
    ...signed.map((name) => `${name}:${String(request.headers[name]).trim()}`),
    "",
    names,
    typeof stated === "string" ? stated : sha256(body),
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const date = String(request.headers["x-amz-date"]);
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${KEYS.secret}`);
  const right = hmac(key, ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n")).toString("hex");
  return right === signature ? undefined : `the signature is not that of:\n${canonical}`;
}
