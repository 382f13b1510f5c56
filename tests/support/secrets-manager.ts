/** Stands in for AWS Secrets Manager: answers AWS's own client over loopback. */
import { once } from "node:events";
import { createServer } from "node:http";

export interface SecretsManager extends AsyncDisposable {
  /** Values by ARN or name. */
  readonly secrets: Map<string, string>;
  /** What was asked for, in order. */
  readonly asked: readonly string[];
  /** Settings of the AWS client of a process that is to ask here. */
  readonly environment: Readonly<Record<string, string>>;
  /** Answers everything with an error from now on. */
  refuse(error: { readonly type: string; readonly message: string }): void;
}

export async function startSecretsManager(): Promise<SecretsManager> {
  const secrets = new Map<string, string>();
  const asked: string[] = [];
  let refusal: { readonly type: string; readonly message: string } | undefined;
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const { SecretId: id }: { SecretId: string } = JSON.parse(text);
      asked.push(id);
      const value = secrets.get(id);
      const error = refusal ?? (value === undefined ? { type: "ResourceNotFoundException", message: "no" } : undefined);
      const status = error === undefined ? 200 : error.type.startsWith("Internal") ? 500 : 400;
      const body = error ? { __type: error.type, message: error.message } : { SecretString: value };
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    secrets,
    asked,
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${address.port}`,
      AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
      AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      AWS_MAX_ATTEMPTS: "1",
    },
    refuse: (error) => void (refusal = error),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
