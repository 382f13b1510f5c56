#!/usr/bin/env node
/** The command's entry: plain JavaScript, so that a Node.js that cannot read TypeScript says so instead of failing on syntax. */
const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `NODE_UNSUPPORTED: this is Node.js ${process.versions.node}, and novadrive needs ${OLDEST_NODE} or newer.\n` +
      "Run it as `npx novadrive` or through an npm script in this folder: both use the Node.js that `npm ci` brought.\n",
  );
  process.exitCode = 2;
} else {
  const { main } = await import("./main.ts");
  process.exitCode = await main(process.argv.slice(2));
}
