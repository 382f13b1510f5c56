/** Networks in canonical form. */
import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalCidr, isWorldOpen } from "../../infra/cidr.ts";

describe("canonicalCidr", () => {
  it.each([
    ["203.0.113.7/32", "203.0.113.7/32"],
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["255.255.255.255/1", "128.0.0.0/1"],
    ["1.2.3.4/0", "0.0.0.0/0"],
    ["2001:DB8:0:0::1/32", "2001:db8::/32"],
    ["2001:0db8::/32", "2001:db8::/32"],
    ["::1/0", "::/0"],
    ["::ffff:1.2.3.4/128", "::ffff:102:304/128"],
    ["fe80::1/128", "fe80::1/128"],
    [" 10.0.0.0/8 ", "10.0.0.0/8"],
  ])("%s is %s", (text, canonical) => {
    expect(canonicalCidr(text)).toBe(canonical);
  });

  it.each([
    "",
    "office",
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0/8",
    "010.0.0.1/8",
    "::/129",
    "fe80::1%eth0/64",
    "10.0.0.0/8/8",
    "1.2.3.4/-1",
  ])("%j is no network", (text) => {
    expect(canonicalCidr(text)).toBeUndefined();
  });

  it("stays what it is, and holds the address that it was made from", () => {
    const versions = [
      { family: "ipv4", address: fc.ipV4(), bits: 32 },
      { family: "ipv6", address: fc.ipV6(), bits: 128 },
    ] as const;
    for (const { family, address, bits } of versions) {
      fc.assert(
        fc.property(address, fc.integer({ min: 1, max: bits }), (host, prefix) => {
          const canonical = canonicalCidr(`${host}/${prefix}`) ?? "";
          expect(canonicalCidr(canonical)).toBe(canonical);
          const [network = "", length = ""] = canonical.split("/");
          expect(length).toBe(String(prefix));
          const list = new BlockList();
          list.addSubnet(network, prefix, family);
          expect(list.check(host, family)).toBe(true);
        }),
      );
    }
  });
});

describe("isWorldOpen", () => {
  it.each(["0.0.0.0/0", "128.0.0.0/1", "0.0.0.0/7", "::/0", "2000::/3", "2001::/19"])("%s is everybody", (cidr) => {
    expect(isWorldOpen(cidr)).toBe(true);
  });

  it.each(["10.0.0.0/8", "203.0.113.7/32", "2001:db8::/32", "2001:d00::/20"])("%s is somebody", (cidr) => {
    expect(isWorldOpen(cidr)).toBe(false);
  });
});
