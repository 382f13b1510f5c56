/** The page for a request that could not be answered. */
import type { NovaError } from "../../core/errors.ts";
import { html, type Html } from "../html.ts";
import type { ServerInfo } from "../context.ts";
import { brand, document } from "./layout.ts";
import { errorNote } from "./parts.ts";

export interface ErrorPageData {
  readonly error: NovaError;
  readonly status: number;
  readonly info: ServerInfo;
  /** For who is not logged in: without scripts and styles that are closed to them. */
  readonly bare: boolean;
}

export function errorPage({ error, status, info, bare }: ErrorPageData): Html {
  return document(
    { title: `${status} · NovaDrive`, ...(bare && { styles: ["base", "login"], script: false }) },
    html`<div id="page">
      <header class="top"><div class="top-row">${brand()}</div></header>
      <main id="main" tabindex="-1">
        <h1>${status === 404 ? "Not found" : status < 500 ? "That did not work" : "Something broke"}</h1>
        <section class="panel">${errorNote(error.report())}</section>
        <p><a href="/">Back to the overview</a></p>
      </main>
      <footer class="foot"><span>novadrive ${info.version}</span></footer>
    </div>`,
  );
}
