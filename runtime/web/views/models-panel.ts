/** How each model stands now. */
import { formatCount } from "../../core/format.ts";
import { html, type Html } from "../html.ts";
import type { OverviewData } from "./overview-page.ts";
import { errorNote, lasted, none, relative } from "./parts.ts";
import { cell, named, panel } from "./results.ts";

export function modelsPanel(data: OverviewData): Html {
  const { models } = data;
  return panel({
    id: "models",
    title: "Models",
    hint: models.length > 0 && formatCount(models.length),
    isEmpty: models.length === 0,
    empty: "No model has been built yet.",
    content: html`<table class="cards">
      <thead>
        <tr>
          <th>Model</th>
          <th>Kind</th>
          <th class="number">Rows written</th>
          <th class="number">Time</th>
          <th class="number">Built</th>
        </tr>
      </thead>
      <tbody>
        ${models.map(
          (model) =>
            html`<tr id="model-${model.name}">
                <th scope="row">${named(model.status, model.name)}</th>
                ${cell("", model.materialized ?? none("not known"), "quiet")}
                ${cell("Rows", model.rows === null ? none("not counted") : formatCount(model.rows))}
                ${cell("Time", model.status === "skipped" ? none() : lasted(model.seconds))}
                ${cell("Built", model.status === "success" ? relative(model.at, data) : model.status)}
              </tr>
              ${
                model.error &&
                html`<tr class="error-row">
                  <td colspan="5">${errorNote(model.error)}</td>
                </tr>`
              }`,
        )}
      </tbody>
    </table>`,
  });
}
