/** Users and network policies that SQL has made: what belongs to the account, and decides who may log in from where. */
import { BlockList } from "node:net";
import type { User } from "./login.ts";

/** Options of a CREATE or ALTER by name: texts, or lists of them. */
export type Options = ReadonlyMap<string, string | readonly string[]>;

export class AccountObjects {
  /** By name. */
  readonly users = new Map<string, Options>();
  readonly policies = new Map<string, Options>();

  /** Those that can log in, as the login knows users. */
  logins(): readonly User[] {
    return Array.from(this.users, ([name, options]) => ({
      name,
      publicKeys: ["RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"].flatMap((slot) => {
        const key = text(options, slot);
        return key === "" ? [] : [`-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n`];
      }),
      role: text(options, "DEFAULT_ROLE"),
      disabled: text(options, "DISABLED").toUpperCase() === "TRUE",
    }));
  }

  /** Whether a user's network policy lets an IPv4 address in: https://docs.snowflake.com/en/user-guide/network-policies */
  admits(user: string, address: string): boolean {
    const options = this.users.get(user);
    const policy = options && this.policies.get(text(options, "NETWORK_POLICY"));
    if (!policy) return true;
    return isListed(policy, "ALLOWED_IP_LIST", address) && !isListed(policy, "BLOCKED_IP_LIST", address);
  }

  /** Users that have the policy. */
  usersOf(policy: string): readonly string[] {
    return [...this.users].filter(([, options]) => text(options, "NETWORK_POLICY") === policy).map(([name]) => name);
  }
}

function text(options: Options, name: string): string {
  const value = options.get(name);
  return typeof value === "string" ? value : "";
}

function isListed(policy: Options, list: string, address: string): boolean {
  const networks = policy.get(list);
  const listed = new BlockList();
  for (const network of Array.isArray(networks) ? networks : []) {
    const [ip = "", bits = "32"] = String(network).split("/");
    listed.addSubnet(ip, Number(bits), "ipv4");
  }
  return listed.check(address, "ipv4");
}
