import { describe, expect, it } from "vitest";
import { orderProblem, readChain, readPrivateKey, validityProblem } from "../../../runtime/config/certificate.ts";
import { makeCertificates, openssl } from "../../support/tls/certificates.ts";

const made = makeCertificates();

function chainOf(pem: string) {
  const chain = readChain(pem);
  if ("problem" in chain) throw new Error(chain.problem);
  return chain;
}

describe("a chain of certificates", () => {
  it("is read in the order of the file, whatever stands around", () => {
    const text = `Bag Attributes\n${made.server}\r\n${made.between.replaceAll("\n", "\r\n")}`;
    expect(chainOf(text).map(({ subject }) => subject)).toEqual([
      "O=Test\nCN=server.example",
      "O=Test\nCN=between.example",
    ]);
  });

  it.each([
    ["nothing", "", "has no certificate in PEM form"],
    ["a key", made.key, "has no certificate in PEM form"],
    ["half of one", made.server.slice(0, 200), "has no certificate in PEM form"],
    [
      "a damaged second one",
      `${made.server}${made.between.replace(/\n.{40}/, "\n")}`,
      "cannot be read: its certificate 2 is damaged",
    ],
  ])("is refused where it is %s", (_what, pem, problem) => {
    expect(readChain(pem)).toEqual({ problem });
  });

  it("has each certificate before the one that issued it", () => {
    const { server, between, root } = made;
    for (const good of [[server], [server, between], [server, between, root], [root]]) {
      expect(orderProblem(chainOf(good.join("")))).toBeUndefined();
    }
    expect(orderProblem(chainOf(`${between}${server}`))).toMatch(
      /wrong order: number 2 \(CN=server\.example\) did not issue number 1 \(CN=between\.example\)/,
    );
    expect(orderProblem(chainOf(`${server}${root}${between}`))).toMatch(/number 2 \(CN=root\.example\)/);
    expect(orderProblem(chainOf(`${server}${between}${between}`))).toMatch(/number 3/);
    // Of the same name, but not the one that signed.
    expect(orderProblem(chainOf(`${server}${makeCertificates().between}`))).toMatch(/number 2/);
  });

  it("counts from its first instant to its last", () => {
    const [server] = chainOf(made.server);
    const { validFromDate: from, validToDate: to } = server;
    const moved = (date: Date, by: number) => validityProblem(server, new Date(date.getTime() + by));
    expect([moved(from, 0), moved(to, 0)]).toEqual([undefined, undefined]);
    expect(moved(from, -1)).toBe(`begins only on ${from.toISOString()}`);
    expect(moved(to, 1)).toBe(`ended on ${to.toISOString().slice(0, 10)}`);
  });
});

describe("a private key", () => {
  it("is read in every form that OpenSSL writes", () => {
    const traditional = openssl(["ec"], { input: made.key });
    const parameters = openssl(["ecparam", "-name", "prime256v1"]);
    for (const pem of [made.key, traditional, `${parameters}${traditional}`, made.key.replaceAll("\n", "\r\n")]) {
      const key = readPrivateKey(pem);
      expect("problem" in key ? key.problem : chainOf(made.server)[0].checkPrivateKey(key)).toBe(true);
    }
  });

  it.each([
    ["no PEM", "hunter2hunter2", "has no private key in PEM form"],
    ["a certificate", made.server, "has no private key in PEM form"],
    ["damaged", made.key.replace(/\n.{30}/, "\n"), "cannot be read: its private key is damaged"],
    ["encrypted", made.encryptedKeys[0] ?? "", "openssl pkey -in <file>"],
    ["encrypted in the old form", made.encryptedKeys[1] ?? "", "openssl pkey -in <file>"],
  ])("is refused where it is %s", (_what, pem, problem) => {
    expect(readPrivateKey(pem)).toEqual({ problem: expect.stringContaining(problem) });
  });
});
