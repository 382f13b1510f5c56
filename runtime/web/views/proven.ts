/** When a table was last proven equal to its source, under its name. */
import { formatCount } from "../../core/format.ts";
import type { VerificationState } from "../../store/verifications.ts";
import { html, type Content } from "../html.ts";
import type { Frame } from "./layout.ts";
import { relative, sign } from "./parts.ts";

export function provenNote(state: VerificationState | undefined, frame: Frame): Content {
  if (!state) return null;
  if (state.equal) return html`<span class="sub proven">proven ${relative(state.proven_at ?? state.at, frame)}</span>`;
  const columns = [...new Set(state.differences.flatMap((difference) => difference.columns))].join(", ");
  const deferred = state.deletes_deferred > 0 && `, ${formatCount(state.deletes_deferred)} deletes deferred`;
  return html`<span class="sub proven bad" title="from the source in ${columns}"
    >${sign("fail", "differs")} differed ${relative(state.at, frame)}${deferred}</span
  >`;
}
