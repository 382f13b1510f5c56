import { Duplex } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CopyOut } from "../../../runtime/source/copy-out.ts";

const message = (code: string, body: Buffer = Buffer.alloc(0)): Buffer => {
  const header = Buffer.alloc(5, code);
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
};
const BEGIN = message("H", Buffer.from([0, 0, 1, 0, 0]));
const NOTICE = message("N", Buffer.from("a notice that has d, c and E in it\0"));
const END = Buffer.concat([message("C", Buffer.from("COPY 7\0")), message("Z", Buffer.from("I"))]);

/** A connection whose server says `said`, in pieces of the given sizes in turn; `heard` is what pg itself gets to read. */
function connect(said: Buffer, sizes: readonly number[]) {
  const heard: Buffer[] = [];
  let at = 0;
  let turn = 0;
  const socket = new Duplex({
    read() {
      const size = sizes[turn++ % sizes.length] ?? 1;
      const piece = Buffer.from(said.subarray(at, at + size));
      at += piece.length;
      if (piece.length > 0) setImmediate(() => this.push(piece));
    },
    write: (_chunk, _encoding, done) => done(),
  });
  const whole = Promise.withResolvers<void>();
  let whenOver = Infinity;
  const pgReads = (bytes: Buffer): void => {
    heard.push(bytes);
    if (heard.reduce((sum, { length }) => sum + length, 0) >= whenOver) whole.resolve();
  };
  socket.on("data", pgReads);
  const sent: string[] = [];
  return {
    connection: { stream: socket, query: (text: string) => sent.push(text) },
    sent,
    async rest(length: number): Promise<Buffer> {
      whenOver = length;
      pgReads(Buffer.alloc(0));
      await whole.promise;
      return Buffer.concat(heard);
    },
  };
}

function begin(copy: CopyOut, connection: unknown): void {
  Reflect.apply(copy.submit, copy, [connection]);
}

const rows = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 });
const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });

test("the rows' bytes come in order and the rest is left to pg, wherever the socket cuts the messages", async () => {
  await fc.assert(
    fc.asyncProperty(rows, sizes, fc.integer({ min: 1, max: 2000 }), async (bodies, cuts, buffer) => {
      const data = bodies.flatMap((body, at) => [...(at % 5 === 3 ? [NOTICE] : []), message("d", Buffer.from(body))]);
      const server = connect(Buffer.concat([BEGIN, ...data, message("c"), END]), cuts);
      const copy = new CopyOut("COPY t TO STDOUT", buffer);
      begin(copy, server.connection);
      const got: Buffer[] = [];
      for await (const piece of copy) got.push(Buffer.from(piece));
      expect(Buffer.concat(got)).toEqual(Buffer.concat(bodies));
      expect(copy.longest).toBe(Math.max(0, ...bodies.map((body) => body.length)));
      expect(await server.rest(END.length)).toEqual(END);
      expect(server.sent).toEqual(["COPY t TO STDOUT"]);
    }),
    { numRuns: 60 },
  );
});

test("an error in the middle is pg's to read, and ends the stream with what pg makes of it", async () => {
  const refused = message("E", Buffer.from("SERROR\0C22012\0Mdivision by zero\0\0"));
  await fc.assert(
    fc.asyncProperty(rows, sizes, async (bodies, cuts) => {
      const data = bodies.map((body) => message("d", Buffer.from(body)));
      const server = connect(Buffer.concat([BEGIN, ...data, refused]), cuts);
      const copy = new CopyOut("COPY t TO STDOUT", 1000);
      begin(copy, server.connection);
      const reading = (async () => {
        for await (const _piece of copy);
      })();
      const failed = expect(reading).rejects.toThrow("division by zero");
      expect(await server.rest(refused.length)).toEqual(refused);
      copy.handleError(new Error("division by zero"));
      await failed;
      await expect(copy.complete).rejects.toThrow("division by zero");
    }),
    { numRuns: 30 },
  );
});

test("it is complete only when PostgreSQL is ready for the next statement, with its count of rows", async () => {
  const server = connect(Buffer.concat([BEGIN, message("d", Buffer.from("1\n")), message("c"), END]), [1000]);
  const copy = new CopyOut("COPY t TO STDOUT", 1000);
  begin(copy, server.connection);
  for await (const piece of copy) expect(String(piece)).toBe("1\n");
  copy.handleCommandComplete({ text: "COPY 7" });
  copy.handleReadyForQuery();
  await copy.complete;
  expect(copy.rowCount).toBe(7);
});
