/** What a batch warned of, with what ends it. */
import type { WarningRecord } from "../../store/records.ts";
import { plural } from "../format.ts";
import { html, type Content } from "../html.ts";
import { breakable, prose, sign } from "./parts.ts";

/** Nothing where there are none. */
export function warningsPanel(warnings: readonly WarningRecord[] | undefined): Content {
  if (!warnings || warnings.length === 0) return null;
  return html`<section class="panel warnings" aria-labelledby="warnings-title">
    <h2 id="warnings-title">${sign("warn")} ${plural(warnings.length, "warning")}</h2>
    ${warnings.map(
      ({ kind, table, message, remedy }) =>
        html`<div class="error-note">
          <p class="error-head">
            <code class="code">${kind}</code
            >${table !== undefined && html` <span class="where">${breakable(table)}</span>`}
          </p>
          <p class="error-message">${prose(message)}</p>
          <p class="error-remedy"><b>What to do:</b> ${prose(remedy)}</p>
        </div>`,
    )}
  </section>`;
}
