/** The yardstick: one COPY … TO STDOUT of the whole table, read from the socket and thrown away, in a process that does nothing else. */
import pg from "pg";

const [url, table] = process.argv.slice(2);
if (!url || !table) throw new Error("usage: raw-copy.ts <url> <table>");

const client = new pg.Client({ connectionString: url });
await client.connect();

/** Speaks just enough of the protocol to count bytes: pg's own parser would look at every row. */
const startedAt = performance.now();
const { promise, resolve, reject } = Promise.withResolvers<number>();
let bytes = 0;
let tail = Buffer.alloc(0);
const copy = {
  submit(connection: { stream: NodeJS.ReadableStream; query(text: string): void }) {
    connection.stream.removeAllListeners("data");
    connection.stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      tail = Buffer.concat([tail.subarray(-64), chunk.subarray(-64)]);
      // CommandComplete "COPY n", then ReadyForQuery: 'Z', length 5, status.
      if (tail.includes("COPY ") && tail.at(-6) === 0x5a) resolve(bytes);
    });
    connection.query(`COPY ${pg.escapeIdentifier(table)} TO STDOUT (FORMAT csv)`);
  },
  handleError: reject,
  handleReadyForQuery: () => undefined,
};
client.query(copy as never);
await promise;
process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - startedAt) / 1000, bytes })}\n`);
process.exit(0);
