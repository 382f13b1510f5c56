/** Free ports on the loopback address. */
import { createServer } from "node:net";

/** @returns the port (one of the system's choice for 0), or undefined when another process has it */
export async function claimable(port: number): Promise<number | undefined> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : undefined));
    });
  });
}
