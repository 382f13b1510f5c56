import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { askHidden, readOneLine } from "../../../runtime/cli/ask-password.ts";

const signal = new AbortController().signal;

function terminal(...keys: readonly string[]) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  for (const key of keys) input.write(key);
  return { input, output, shown: () => String(output.read() ?? "") };
}

describe("asking for a password", () => {
  it.each([
    [["first one\r", "second one\r"]],
    // Pasted at once.
    [["first one\rsecond one\r"]],
    [["fist\x7f\x7frst one\r", "second one\n"]],
  ])("takes what is typed, and shows nothing of it (%j)", async (keys) => {
    const { input, output, shown } = terminal(...keys);
    expect(await askHidden(["One: ", "Again: "], { input, output, signal })).toEqual(["first one", "second one"]);
    expect(shown()).toBe("One: \nAgain: \n");
  });

  it.each([["\x03"], ["half a pass\x03"], ["\x04"]])("ends with %j", async (keys) => {
    const { input, output } = terminal(keys);
    await expect(askHidden(["One: "], { input, output, signal })).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });

  it("ends where the input does, or the program is to stop", async () => {
    const { input, output } = terminal();
    input.end();
    await expect(askHidden(["One: "], { input, output, signal })).rejects.toMatchObject({ code: "USAGE_INVALID" });
    const stop = new AbortController();
    const asking = askHidden(["One: "], { ...terminal(), signal: stop.signal });
    stop.abort(new Error("stopped"));
    await expect(asking).rejects.toThrow("stopped");
  });

  it("takes the first line of a pipe, as it is", async () => {
    expect(await readOneLine(Readable.from(["  with spaces \r\nmore"]))).toBe("  with spaces ");
    expect(await readOneLine(Readable.from(["no line end"]))).toBe("no line end");
    await expect(readOneLine(Readable.from([]))).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });
});
