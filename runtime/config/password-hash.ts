/** The hash of the operator's password: scrypt, in the self-describing form `$scrypt$ln=17,r=8,p=1$<salt>$<key>`. */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from "node:crypto";

/** https://github.com/P-H-C/phc-string-format; other programs (passlib) write and read the same form. */
export interface PasswordHash {
  /** Binary logarithm of scrypt's N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt: 128 MiB and some 0.3 s for each try. */
const COST = { ln: 17, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Longer ones are neither made nor checked, in UTF-16 units. */
export const LONGEST_PASSWORD = 256;

/** What a hash from elsewhere may cost: less is too cheap to guess, more would let the setting stop the box. */
const LN = { least: 14, most: 18 } as const;
const MEMORY_BYTES = 256 * 1024 * 1024;
const MOST_PASSES = 8;

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{22,88})$/;

/** Why a text is no hash that can be used, or the hash. */
export function parsePasswordHash(text: string): PasswordHash | { readonly problem: string } {
  const match = FORM.exec(text);
  if (!match) return { problem: "is no hash of the form $scrypt$ln=…,r=…,p=…$salt$key" };
  const [ln = 0, r = 0, p = 0] = match.slice(1, 4).map(Number);
  const [salt, key] = [bytes(match[4]), bytes(match[5])];
  if (salt === undefined || key === undefined) return { problem: "has a salt or key that is no base64" };
  if (ln < LN.least || r < 8 || p < 1) return { problem: `costs too little to guess (ln at least ${LN.least}, r 8)` };
  if (ln > LN.most || p > MOST_PASSES || memory({ ln, r }) > MEMORY_BYTES) {
    return { problem: `costs more than 256 MiB or ${MOST_PASSES} passes for each login` };
  }
  return { ln, r, p, salt, key };
}

/**
 * @param cost less is for tests only
 * @returns the hash as a text, with a salt of its own
 */
export async function hashPassword(
  password: string,
  cost: Pick<PasswordHash, "ln" | "r" | "p"> = COST,
): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, { ...cost, salt }, KEY_BYTES);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${base64(salt)}$${base64(key)}`;
}

/** Takes as long, and looks at every byte, whether the password is right or not. */
export async function matchesPassword(password: string, hash: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, hash, hash.key.length), hash.key);
}

type Cost = Pick<PasswordHash, "ln" | "r" | "p" | "salt">;

function derive(password: string, { ln, r, p, salt }: Cost, length: number): Promise<Buffer> {
  // Twice what it takes: OpenSSL counts its own needs too.
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 2 * memory({ ln, r }) };
  return new Promise((resolve, reject) => {
    // The same word can be typed as different code points, by different systems.
    scrypt(password.normalize("NFKC"), salt, length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

const memory = ({ ln, r }: Pick<PasswordHash, "ln" | "r">): number => 128 * 2 ** ln * r;

const base64 = (value: Buffer): string => value.toString("base64").replaceAll("=", "");

/** Node.js reads over what is no base64; only what it would write itself is taken. */
function bytes(text = ""): Buffer | undefined {
  const value = Buffer.from(text, "base64");
  return base64(value) === text ? value : undefined;
}
