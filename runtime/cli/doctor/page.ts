/** What `doctor` checks of the status page: that `serve` would show it, and to nobody whom it is not for. */
import { resolveSecrets } from "../../config/resolve-secrets.ts";
import type { OptionName } from "../../config/options.ts";
import { failedBy, ok, warning, type Finding } from "../../core/finding.ts";
import { pageSettings } from "../serve-process.ts";
import type { GivenSettings } from "./machine.ts";

const SETTINGS: readonly OptionName[] = ["host", "port", "uiPasswordHash", "uiTlsCert", "uiTlsKey", "uiInsecureHttp"];

export async function checkPage(
  { config, problems }: GivenSettings,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  // The settings' finding says what is wrong; with other values than were meant there is nothing to say here.
  if (problems.some(({ option }) => SETTINGS.includes(option))) return [];
  const check = "status page";
  try {
    const found: Finding[] = [];
    const warn = (message: string) => void found.push(warning(check, `${message}.`.replace(/\.\.$/, "."), REMEDY));
    const resolved = await resolveSecrets(config, ["uiPasswordHash", "uiTlsKey"], { signal });
    const { passwordHash, tls } = pageSettings(resolved, warn);
    const where = `${config.host}:${config.port}`;
    return [ok(check, `${tls ? "https" : "http"} on ${where}, ${passwordHash ? "with" : "without"} login.`), ...found];
  } catch (thrown) {
    return [failedBy(check, thrown)];
  }
}

const REMEDY = "Set NOVADRIVE_UI_TLS_CERT and NOVADRIVE_UI_TLS_KEY to a certificate that is valid, and its key.";
