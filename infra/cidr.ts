/** Networks as AWS wants them: canonical, so that the plan shows no difference that is none. */
import { isIP } from "node:net";

/** Wider than this takes in a good part of the internet: more than 16 million addresses, or more than a provider's block. */
const WIDEST = { 4: 8, 6: 20 } as const;

/** The network in canonical form (`10.1.2.3/8` → `10.0.0.0/8`, `2001:DB8:0::/32` → `2001:db8::/32`); undefined if it is none. */
export function canonicalCidr(text: string): string | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text.trim());
  const [, address = "", digits = ""] = match ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const prefix = Number(digits);
  if ((version !== 4 && version !== 6) || address.includes("%") || prefix > bits) return undefined;
  const value = version === 4 ? ipv4Value(address) : ipv6Value(address);
  const host = BigInt(bits - prefix);
  const network = (value >> host) << host;
  return `${version === 4 ? ipv4Text(network) : ipv6Text(network)}/${prefix}`;
}

/** Whether a canonical network is so wide that it means "everybody"; two halves of the internet are no better than the whole. */
export function isWorldOpen(cidr: string): boolean {
  return Number(cidr.slice(cidr.indexOf("/") + 1)) < WIDEST[cidr.includes(":") ? 6 : 4];
}

function ipv4Value(address: string): bigint {
  return address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function ipv4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
}

function ipv6Value(address: string): bigint {
  const [head = "", tail] = normalise(address).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function ipv6Text(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  return normalise(groups.join(":"));
}

/** The URL parser writes IPv6 as RFC 5952 does: lower case, longest run of zeros left out, no dotted part. */
function normalise(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}
