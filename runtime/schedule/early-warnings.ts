/** Warnings of what is opened before there is a batch to log them under. */

export class EarlyWarnings {
  readonly #waiting: string[] = [];
  #take: ((message: string) => void) | undefined;

  readonly warn = (message: string): void => {
    if (this.#take) this.#take(message);
    else this.#waiting.push(message);
  };

  /** Hands on what has come so far, and what comes from now on. */
  passTo(take: (message: string) => void): void {
    this.#take = take;
    for (const message of this.#waiting.splice(0)) take(message);
  }
}
