/** One table from PostgreSQL to the stage, in a process of its own: extract, compress, PUT. Prints seconds, bytes and the process's peak memory. */
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig, requireSourceUrl } from "../../runtime/config/config.ts";
import { readManifest } from "../../runtime/manifest/read.ts";
import { connectSource } from "../../runtime/source/postgres.ts";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import { manifestFile } from "./project.ts";

const config = loadConfig({ environment: process.env });
const manifest = readManifest(manifestFile(config.projectDir));
const [table] = manifest.tables;
if (!table) throw new Error("The manifest has no table");
const folder = join(config.stateDir, "staged");
await mkdir(folder, { recursive: true });

await using source = connectSource({ url: requireSourceUrl(config), readers: config.readers });
await using warehouse = await openWarehouse({ url: config.warehouseUrl });
await warehouse.prepare(manifest);

const most = { diskBytes: 0, puts: 0 };
let puts = 0;
const watch = setInterval(() => void onDisk().then((bytes) => (most.diskBytes = Math.max(most.diskBytes, bytes))), 100);
const processor = process.cpuUsage();
const startedAt = performance.now();
await using snapshot = await source.openSnapshot([table]);
const incoming = await warehouse.openIncoming(1, table, "rows");
const { rows } = await snapshot.extract({
  table,
  what: "rows",
  format: warehouse.capabilities.stagedFiles,
  folder,
  async take(file) {
    most.puts = Math.max(most.puts, ++puts);
    await incoming.add(file).finally(() => (puts -= 1));
  },
  progress: () => {},
  signal: new AbortController().signal,
});
const seconds = (performance.now() - startedAt) / 1000;
clearInterval(watch);
const { user, system } = process.cpuUsage(processor);
const report = {
  seconds,
  rows,
  bytes: warehouse.usage()?.bytes_staged ?? 0,
  cpu_seconds: (user + system) / 1e6,
  peak_memory_mb: process.resourceUsage().maxRSS / 1024,
  peak_disk_mb: most.diskBytes / 2 ** 20,
  puts_at_once: most.puts,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
await incoming.discard();

/** Bytes of staged files, whole or not. */
async function onDisk(): Promise<number> {
  const files = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(folder, file))
        .then((found) => found.size)
        .catch(() => 0),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
