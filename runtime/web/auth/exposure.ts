/** What the page may be shown to: this machine as it is, a network only with login and TLS. */
import { BlockList, isIP } from "node:net";
import { NovaError } from "../../core/errors.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && LOOPBACK.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

export interface Exposure {
  /** Address or name that the page is to listen on. */
  readonly host: string;
  readonly login: boolean;
  readonly tls: boolean;
  /** Whether the operator has said that the network may read along. */
  readonly insecureHttp: boolean;
}

/** @throws NovaError UI_UNPROTECTED with the commands that mend it */
export function checkExposure({ host, login, tls, insecureHttp }: Exposure): void {
  if (host.toLowerCase() === "localhost" || isLoopbackAddress(host)) return;
  const lacks = [...(login ? [] : ["login"]), ...(tls || insecureHttp ? [] : ["TLS"])];
  if (lacks.length === 0) return;
  const mends = [
    login ? "" : 'export NOVADRIVE_UI_PASSWORD_HASH="$(npx novadrive password)"',
    lacks.includes("TLS") ? "export NOVADRIVE_UI_TLS_CERT=<file> NOVADRIVE_UI_TLS_KEY=<file>" : "",
  ].filter((mend) => mend !== "");
  throw new NovaError(
    "UI_UNPROTECTED",
    `The status page is to listen on ${host}, beyond this machine, but has no ${lacks.join(" and no ")}.`,
    {
      remedy: `Run \`${mends.join(" && ")}\`, or keep the page on this machine with \`novadrive serve --host 127.0.0.1\`.`,
      details: { host, lacks },
    },
  );
}
