/** The manifest's schema in the form that editors read, made from the validator. */
import { z } from "zod";
import { manifestSchema } from "../../runtime/manifest/schema.ts";

export function manifestJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(manifestSchema, { io: "input" }), null, 2)}\n`;
}
