/** The one page that is shown to everybody. */
import { html, type Html } from "../html.ts";
import { brand, document } from "./layout.ts";

export interface LoginPageData {
  readonly token: string;
  /** Where to go then; a path of this server. */
  readonly next: string;
  readonly version: string;
  /** Whether the browser is to ask once more by itself. */
  readonly again: boolean;
  /** Why the last try did not succeed. */
  readonly problem?: string | undefined;
}

export function loginPage({ token, next, version, again, problem }: LoginPageData): Html {
  return document(
    { title: "Log in · NovaDrive", styles: ["base", "login"], script: false, refresh: again },
    html`<div id="page">
      <header class="top"><div class="top-row">${brand()}</div></header>
      <main id="main" tabindex="-1">
        <form class="login" method="post" action="/login">
          <h1>Log in</h1>
          ${problem !== undefined && html`<p id="problem" class="problem" role="alert">${problem}</p>`}
          <input type="hidden" name="token" value="${token}" />
          <input type="hidden" name="next" value="${next}" />
          <input
            class="unseen"
            type="text"
            name="username"
            value="operator"
            autocomplete="username"
            tabindex="-1"
            aria-hidden="true"
            readonly
          />
          <label for="password">Password of the operator</label>
          <input
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            autofocus
            ${problem !== undefined && html`aria-invalid="true" aria-describedby="problem"`}
          />
          <button type="submit" class="primary">Log in</button>
        </form>
      </main>
      <footer class="foot"><span>novadrive ${version}</span></footer>
    </div>`,
  );
}
