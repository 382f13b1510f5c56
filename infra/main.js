/** What Pulumi runs: makes sure that this Node.js can run TypeScript, then imports the program. */
import process from "node:process";
import pulumi from "@pulumi/pulumi";

const OLDEST_NODE = 24;

/** Pulumi calls a default export that is a function, and takes what it returns as the stack's outputs. */
// oxlint-disable-next-line import/no-default-export
export default async function program() {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    // Without this, an older Node.js says no more than `Unknown file extension ".ts"`.
    throw new pulumi.RunError(
      `This program needs Node.js ${OLDEST_NODE} or newer, and Pulumi has run it with ${process.versions.node} ` +
        `(${process.execPath}).\nUse \`npm run up\` (or preview, destroy; any other command: ` +
        `\`npm run pulumi -- <command>\`), which brings its own Node.js, or put Node.js ${OLDEST_NODE} first on PATH.`,
    );
  }
  try {
    return { ...(await import("./index.ts")) };
  } catch (thrown) {
    // The manifest's errors say what to do; a stack trace would only hide it.
    const remedy = thrown instanceof Error && "remedy" in thrown ? thrown.remedy : undefined;
    throw typeof remedy === "string" ? new pulumi.RunError(`${thrown.message}\n${remedy}`) : thrown;
  }
}
