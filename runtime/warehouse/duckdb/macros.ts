/** Puts the macros that translated SQL needs into the warehouse file. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Engine } from "./engine.ts";

const FILE = `${import.meta.dirname}/macros.sql`;

/** Written only when they differ from those in the file, so that opening a warehouse writes nothing. */
export async function installMacros(engine: Engine): Promise<void> {
  const text = await readFile(FILE, "utf8");
  const marker = `nd_macros_${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
  await engine.use(async (session) => {
    // Asking the catalogue would go through all functions that the engine has: 60 ms on a busy machine, where a call takes one.
    const there = await session.run(`SELECT ${marker}()`).then(
      () => true,
      () => false,
    );
    if (there) return;
    await session.transaction(async () => {
      await session.run(text);
      await session.run(`CREATE OR REPLACE MACRO ${marker}() AS TRUE`);
    });
  });
}
