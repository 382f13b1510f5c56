/** Checks passwords one at a time: each check takes 128 MiB for as long as it lasts. */
import pLimit from "p-limit";
import { LONGEST_PASSWORD, matchesPassword, type PasswordHash } from "../../config/password-hash.ts";

const MOST_WAITING = 4;

export type CheckOutcome = "right" | "wrong" | "busy";

export class PasswordCheck {
  readonly #hash: PasswordHash;
  readonly #limit = pLimit(1);

  constructor(hash: PasswordHash) {
    this.#hash = hash;
  }

  async check(password: string): Promise<CheckOutcome> {
    if (this.#limit.pendingCount >= MOST_WAITING) return "busy";
    if (password.length > LONGEST_PASSWORD) return "wrong";
    return await this.#limit(async () => ((await matchesPassword(password, this.#hash)) ? "right" : "wrong"));
  }
}
