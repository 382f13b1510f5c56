/** A browser as far as a server sees one: keeps cookies, follows no redirect by itself, sends what it is told. */
import { once } from "node:events";
import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export class Visitor {
  readonly base: string;
  readonly cookies = new Map<string, string>();

  constructor(base: string) {
    this.base = base;
  }

  /** The answer before its end, for streams; the body is not read. */
  async open(path: string, { method = "GET", headers = {}, body }: AskOptions = {}): Promise<IncomingMessage> {
    const { hostname, port, protocol } = new URL(this.base);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    // The path goes out as it is given; `fetch` would tidy it up.
    const options = {
      host: hostname.replaceAll(/[[\]]/g, ""),
      port,
      path,
      method,
      headers: { ...(cookie !== "" && { cookie }), ...headers },
      agent: false as const,
    };
    const asking =
      protocol === "https:" ? requestHttps({ ...options, rejectUnauthorized: false }) : requestHttp(options);
    const [response]: IncomingMessage[] = await once(asking.end(body), "response");
    if (!response) throw new Error("There was no response.");
    for (const line of response.headers["set-cookie"] ?? []) this.#keep(line);
    return response;
  }

  async ask(path: string, options?: AskOptions): Promise<Answer> {
    const response = await this.open(path, options);
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  }

  /** Sends a form as the page of this server would. */
  async submit(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const type = "application/x-www-form-urlencoded";
    return await this.ask(path, {
      method: "POST",
      headers: { "content-type": type, origin: this.base, "sec-fetch-site": "same-origin", ...headers },
      body: new URLSearchParams(fields).toString(),
    });
  }

  /** The token of the form on a page. */
  async tokenOn(path: string): Promise<string> {
    const { body } = await this.ask(path, { headers: { accept: "text/html" } });
    const token = /name="token" value="([^"]+)"/.exec(body)?.[1];
    if (token === undefined) throw new Error(`${path} has no form with a token`);
    return token;
  }

  async logIn(password: string, next?: string): Promise<Answer> {
    const token = await this.tokenOn("/login");
    return await this.submit("/login", { token, password, ...(next !== undefined && { next }) });
  }

  async logOut(): Promise<Answer> {
    return await this.submit("/logout", { token: await this.tokenOn("/") });
  }

  #keep(line: string): void {
    const [pair = ""] = line.split(";");
    const [name = "", value = ""] = pair.split("=");
    if (value === "") this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
