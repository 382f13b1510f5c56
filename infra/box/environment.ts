/** The settings of the runtime on the box, as the file that systemd reads them from. It holds no secret, only where secrets are. */
import { hasPrivateKey } from "../../runtime/config/certificate.ts";
import { environmentName, readConfig } from "../../runtime/config/config.ts";
import { OPTIONS, type OptionName } from "../../runtime/config/options.ts";
import { isReference, REFERENCE_SCHEME } from "../../runtime/config/secret-reference.ts";
import { environmentLine } from "./quote.ts";

export interface BoxEnvironment {
  /** Settings of the runtime that differ from their defaults, as they would be written. Secrets are references. */
  readonly settings: Readonly<Partial<Record<OptionName, string>>>;
  readonly region: string;
  readonly logGroup: string;
  readonly metricNamespace: string;
  /** Of the secrets whose values the stack sets. The runtime reads them once: settings with another list of them start it again. */
  readonly secretVersions?: readonly string[] | undefined;
}

/** The certificate's file where it is to be made on the box, and where a configured one is put. */
export const CERTIFICATE = {
  made: { cert: "/var/lib/novadrive/tls/certificate.pem", key: "/var/lib/novadrive/tls/key.pem" },
  given: { cert: "/etc/novadrive/certificate.pem" },
} as const;

/**
 * What the runtime is told of its certificate: `{ …, ...certificateSettings(keySecret) }`.
 *
 * @param keySecret ARN of the secret with the given certificate's key; undefined where the box makes its own
 */
export function certificateSettings(keySecret: string | undefined): {
  readonly uiTlsCert: string;
  readonly uiTlsKey: string;
} {
  const { made, given } = CERTIFICATE;
  if (keySecret === undefined) return { uiTlsCert: made.cert, uiTlsKey: made.key };
  return { uiTlsCert: given.cert, uiTlsKey: `${REFERENCE_SCHEME}${keySecret}` };
}

const STATE_DIR = "/var/lib/novadrive";

/**
 * Checked by the runtime's own table of settings, so that a value that it would refuse on the box is refused before anything is made.
 *
 * @returns one line a variable, sorted, no line end behind the last
 * @throws RangeError for a value that the runtime refuses, and for a secret that is no reference
 */
export function renderEnvironment(box: BoxEnvironment): string {
  const { settings, region, logGroup, metricNamespace, secretVersions = [] } = box;
  const runtime = Object.fromEntries(
    (Object.keys(OPTIONS) as OptionName[]).flatMap((key) => {
      const value = key === "stateDir" ? STATE_DIR : settings[key];
      return value === undefined ? [] : [[environmentName(OPTIONS[key]), value] as const];
    }),
  );
  for (const key of ["sourceUrl", "uiPasswordHash", "uiTlsKey"] as const) {
    const value = settings[key];
    const bare = key === "uiTlsKey" ? hasPrivateKey : (text: string) => !isReference(text);
    if (value !== undefined && bare(value)) {
      throw new RangeError(
        `${environmentName(OPTIONS[key])} is to be a reference to a secret on the box, not the secret.`,
      );
    }
  }
  const [problem] = readConfig({ environment: runtime }).problems;
  if (problem !== undefined)
    throw new RangeError(`The runtime on the box would refuse its settings: ${problem.message}`);
  const variables: Readonly<Record<string, string>> = {
    ...runtime,
    AWS_REGION: region,
    NOVADRIVE_LOG_GROUP: logGroup,
    NOVADRIVE_METRIC_NAMESPACE: metricNamespace,
    ...(secretVersions.length > 0 && { NOVADRIVE_SECRET_VERSIONS: secretVersions.join(" ") }),
  };
  return Object.keys(variables)
    .toSorted()
    .map((name) => environmentLine(name, variables[name] ?? ""))
    .join("\n");
}
