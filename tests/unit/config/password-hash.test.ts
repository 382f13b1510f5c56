import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashPassword, matchesPassword, parsePasswordHash } from "../../../runtime/config/password-hash.ts";
import { CHEAP, PASSWORD, testPasswordHash } from "../../support/login.ts";

/** From the documentation of passlib, another program that writes this form. */
const FOREIGN = "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";

const usable = (text: string) => {
  const hash = parsePasswordHash(text);
  if ("problem" in hash) throw new Error(hash.problem);
  return hash;
};

describe("a password's hash", () => {
  it("matches that password alone", async () => {
    const hash = await testPasswordHash();
    expect(await matchesPassword(PASSWORD, hash)).toBe(true);
    for (const wrong of ["", `${PASSWORD} `, PASSWORD.slice(1), PASSWORD.toUpperCase()]) {
      expect(await matchesPassword(wrong, hash)).toBe(false);
    }
  });

  it("is taken from other programs that write the same form", async () => {
    expect(await matchesPassword("password", usable(FOREIGN))).toBe(true);
    expect(await matchesPassword("Password", usable(FOREIGN))).toBe(false);
  });

  it("costs what is recommended, and is another one each time", async () => {
    const [first, second] = [await hashPassword(PASSWORD), await hashPassword(PASSWORD, CHEAP)];
    expect(first).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(usable(first).salt).not.toEqual(usable(second).salt);
    expect(first).not.toContain(PASSWORD);
  });

  it("is the same however the letters were put together", async () => {
    const hash = usable(await hashPassword("ação e reação", CHEAP));
    expect(await matchesPassword("ação e reação".normalize("NFD"), hash)).toBe(true);
  });

  it.each([
    ["", "no hash of the form"],
    ["hunter2hunter2", "no hash of the form"],
    ["$2b$12$abcdefghijklmnopqrstuv", "no hash of the form"],
    [FOREIGN.replace("scrypt", "argon2id"), "no hash of the form"],
    [`${FOREIGN}\n`, "no hash of the form"],
    [FOREIGN.replace("ln=16", "ln=-1"), "no hash of the form"],
    [FOREIGN.slice(0, -30), "no hash of the form"],
    [FOREIGN.replace("iCs5E", "iCs5F"), "no base64"],
    [FOREIGN.replace("ln=16", "ln=13"), "too little"],
    [FOREIGN.replace("r=8", "r=1"), "too little"],
    [FOREIGN.replace("p=1", "p=0"), "too little"],
    [FOREIGN.replace("ln=16", "ln=19"), "costs more"],
    [FOREIGN.replace("ln=16,r=8", "ln=18,r=9"), "costs more"],
    [FOREIGN.replace("p=1", "p=9"), "costs more"],
  ])("%j is refused", (text, problem) => {
    expect(parsePasswordHash(text)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("says what it is made of, for every cost, salt and key that is taken", () => {
    const part = (least: number, most: number) => fc.uint8Array({ minLength: least, maxLength: most });
    const cost = fc.record({
      ln: fc.integer({ min: 14, max: 17 }),
      r: fc.integer({ min: 8, max: 16 }),
      p: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(cost, part(9, 64), part(17, 64), ({ ln, r, p }, salt, key) => {
        const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replaceAll("=", "");
        const parsed = parsePasswordHash(`$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(key)}`);
        expect(parsed).toEqual({ ln, r, p, salt: Buffer.from(salt), key: Buffer.from(key) });
      }),
    );
  });

  it("is told from every other text, which is refused and never thrown on", () => {
    const pieces = fc.constantFrom(
      "$scrypt",
      "$",
      "ln=16",
      ",",
      "r=8",
      "p=1",
      "aM15713r3Xsvxbi31lqr1Q",
      "=",
      "\n",
      "é",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join("")),
        ),
        (text) => {
          expect(parsePasswordHash(text)).toHaveProperty("problem");
        },
      ),
    );
  });
});
