import { mkdtempDisposable, readdir, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StagedFileWriter } from "../../../runtime/source/staged-file-writer.ts";

const MB = 1 << 20;

describe.each(["gzip", "none"] as const)("compression %s", (compression) => {
  test("pieces of any size arrive in order, though their memory is used again at once", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-writer-"));
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 3 * MB })), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const writer = new StagedFileWriter(join(folder.path, "file"), compression);
        const sent: Buffer[] = [];
        for (const [at, length] of lengths.entries()) {
          const piece = Buffer.alloc(length, `piece ${at},`);
          sent.push(Buffer.from(piece));
          await writer.write(piece);
          piece.fill("x");
        }
        const whole = Buffer.concat(sent);
        const file = await writer.close({ rows: 7, longestRow: 9 });
        const content = await readFile(file.path);
        expect(file).toEqual({ path: writer.path, rows: 7, longestRow: 9, bytes: content.length });
        expect((compression === "gzip" ? gunzipSync(content) : content).equals(whole)).toBe(true);
        expect(writer.bytes).toBe(whole.length);
        await writer.remove();
        expect(await readdir(folder.path)).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  test("a folder that is not there is told, not waited for", async () => {
    const writer = new StagedFileWriter(join(tmpdir(), "novadrive-no-such-folder", "file"), compression);
    const piece = Buffer.alloc(3 * MB, "text");
    await expect(writer.write(piece).then(() => writer.close({ rows: 1, longestRow: 1 }))).rejects.toMatchObject({
      code: "STAGING_FAILED",
    });
    await writer.remove();
  });

  test.runIf(process.platform === "linux")("a full disk is told, not waited for", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-writer-"));
    await symlink("/dev/full", join(folder.path, "file"));
    const writer = new StagedFileWriter(join(folder.path, "file"), compression);
    const writing = (async () => {
      for (let at = 0; at < 64; at++) await writer.write(Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))));
      for (let at = 0; at < 32; at++) await writer.write(Buffer.alloc(MB, String(at)));
      await writer.close({ rows: 1, longestRow: 1 });
    })();
    await expect(writing).rejects.toMatchObject({ code: "STAGING_FAILED", message: expect.stringContaining("ENOSPC") });
    await writer.remove();
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("a file that is given up half way is removed", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "novadrive-writer-"));
    const writer = new StagedFileWriter(join(folder.path, "file"), compression);
    for (let at = 0; at < 3; at++) await writer.write(Buffer.alloc(MB, "text"));
    await writer.remove();
    expect(await readdir(folder.path)).toEqual([]);
  });
});
