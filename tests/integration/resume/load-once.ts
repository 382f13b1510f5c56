/** One load in a process of its own. Prints the outcome as JSON. */
import { loadOnce, type LoadOnce } from "./load.ts";

const loaded = await loadOnce(JSON.parse(process.argv[2] ?? "") as LoadOnce);
const peakMemoryMb = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(`${JSON.stringify({ ...loaded, peakMemoryMb })}\n`);
