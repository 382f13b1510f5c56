/** `npm run bundle`: makes the bundle, and says where it is. */
import { join } from "node:path";
import process from "node:process";
import { makeBundle } from "./bundle.ts";

const root = join(import.meta.dirname, "../..");
const { file, hash, bytes, unpackedBytes } = await makeBundle({ root, out: join(root, ".bundle") });
const mb = (size: number) => `${(size / 1e6).toFixed(1)} MB`;
process.stdout.write(`${file}\n${hash}\n${mb(bytes)}, unpacked ${mb(unpackedBytes)}\n`);
