/** Loads Snowflake's driver, and keeps it from writing files, printing, probing the network and reporting about its host. */
import type Snowflake from "snowflake-sdk";
import { NovaError } from "../../core/errors.ts";
import { redactSecrets } from "./redact-secrets.ts";

export type Driver = typeof Snowflake;

/** Read by the driver when it is loaded (the first two) and at each login. What the user has set stays. */
const QUIET: Readonly<Record<string, string>> = {
  // Asks 169.254.169.254, metadata.google.internal and AWS STS where it runs, and tells Snowflake.
  SNOWFLAKE_DISABLE_PLATFORM_DETECTION: "true",
  // A native library that only reports its own version.
  SNOWFLAKE_DISABLE_MINICORE: "true",
  // Sends the forms of host and account to /telemetry/send.
  SF_TELEMETRY_DISABLE_CONNECTION_SHAPE: "true",
};

let loading: Promise<Driver> | undefined;
/** The driver has one logger for the whole process. */
let log: (message: string) => void = () => undefined;
const reported = new Set<string>();
const REPORTED_AT_MOST = 200;

/**
 * @param warn takes the driver's own warnings, without secrets; the last caller's counts
 * @throws NovaError INTERNAL if the package cannot be loaded
 */
export async function loadDriver(warn: (message: string) => void): Promise<Driver> {
  log = warn;
  loading ??= load();
  return loading;
}

async function load(): Promise<Driver> {
  for (const [name, value] of Object.entries(QUIET)) process.env[name] ??= value;
  try {
    const { default: driver } = await import("snowflake-sdk");
    // Without this it writes snowflake.log into the working directory, and the same to standard output.
    driver.configure({
      logLevel: "WARN",
      customLogger: { error: drop, warn: report, info: drop, debug: drop, trace: drop },
    });
    return driver;
  } catch (thrown) {
    loading = undefined;
    throw new NovaError("INTERNAL", "Snowflake's driver (the package snowflake-sdk) cannot be loaded.", {
      cause: thrown,
      remedy: "Install the program again with its dependencies: npm ci.",
    });
  }
}

/** Once each: the driver repeats some of them with every request. */
function report(message: string): void {
  const text = redactSecrets(message);
  if (reported.has(text)) return;
  if (reported.size < REPORTED_AT_MOST) reported.add(text);
  log(`Snowflake's driver: ${text}`);
}

function drop(): void {
  // Its errors are thrown as well; its finer levels say nothing about the data, and a lot about the protocol.
}
