/** Proof that a form was sent by a page of this server to this very browser: a keyed hash of the browser's cookie. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Made anew by each process; what it signed ends with it. */
export class FormTokens {
  readonly #key = randomBytes(32);

  /** @param purpose which form; a token for one is of no use for another */
  tokenFor(purpose: "login" | "logout", cookie: string): string {
    return createHmac("sha256", this.#key).update(`${purpose}\0${cookie}`).digest("base64url");
  }

  matches(purpose: "login" | "logout", cookie: string, token: string): boolean {
    const [expected, given] = [Buffer.from(this.tokenFor(purpose, cookie)), Buffer.from(token)];
    return expected.length === given.length && timingSafeEqual(expected, given);
  }
}
