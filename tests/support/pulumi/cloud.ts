/** The cloud behind a stand-in, where a test has given a folder for it: one file for each object, so that what is left can be seen. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Properties } from "./behaviour.ts";

export interface CloudObject {
  readonly type: string;
  readonly id: string;
  /** Of the resource, as the engine knows it. */
  readonly urn: string;
  readonly state: Properties;
}

export class Cloud {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  objects(): readonly CloudObject[] {
    return readdirSync(this.#folder).map(
      (file) => JSON.parse(readFileSync(join(this.#folder, file), "utf8")) as CloudObject,
    );
  }

  create(object: CloudObject): void {
    if (existsSync(this.#file(object.id))) throw new Error(`${object.id} exists already`);
    writeFileSync(this.#file(object.id), JSON.stringify(object));
  }

  /** Written over, if it is there. */
  put(object: CloudObject): void {
    writeFileSync(this.#file(object.id), JSON.stringify(object));
  }

  /** @throws Error for an object that is not there, which the engine then knows wrongly */
  update(object: CloudObject): void {
    if (!existsSync(this.#file(object.id))) throw new Error(`${object.id} does not exist`);
    writeFileSync(this.#file(object.id), JSON.stringify(object));
  }

  /** What is gone already is no error, as for the real services' providers. */
  delete(id: string): void {
    rmSync(this.#file(id), { force: true });
  }

  #file(id: string): string {
    return join(this.#folder, `${encodeURIComponent(id)}.json`);
  }
}
