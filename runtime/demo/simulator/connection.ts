/** A connection of the simulated sales site, whose socket can be cut when the server does not answer. */
import { Socket } from "node:net";
import { Client } from "pg";

export interface SiteConnection extends AsyncDisposable {
  readonly client: Client;
  /** Ends it at once; what was open is rolled back by the server. */
  cut(): void;
}

/** @throws whatever the driver throws when there is no server, or it refuses */
export async function connectSite(url: string): Promise<SiteConnection> {
  const socket = new Socket();
  const client = new Client({
    connectionString: url,
    application_name: "novadrive demo sales site",
    connectionTimeoutMillis: 5000,
    // Longer than any transaction that holds a lock in a hurry, shorter than what stops the stream of sales.
    lock_timeout: 5000,
    stream: () => socket,
  });
  // A connection that breaks between two statements speaks up here; the next statement fails by itself.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
  return {
    client,
    cut: () => void socket.destroy(),
    async [Symbol.asyncDispose]() {
      if (!socket.destroyed) await client.end().catch(() => {});
    },
  };
}

/** Runs `work` in a transaction; rolls back when it throws. */
export async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (thrown) {
    await client.query("ROLLBACK").catch(() => {});
    throw thrown;
  }
}
