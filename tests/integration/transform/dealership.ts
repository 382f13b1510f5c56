/** A small dealership as rows of the stage tables, which tests change and publish. */
import type { Manifest, ManifestTable } from "../../../runtime/manifest/manifest.ts";
import type { Row } from "./warehouse-project.ts";

type Value = string | number | null;

/** Tables by name, rows by primary key. A row is made of what stands in front of data_inclusao and data_atualizacao. */
export class Dealership {
  readonly #manifest: Manifest;
  readonly #tables = new Map<string, Map<number, readonly Value[]>>();

  constructor(manifest: Manifest) {
    this.#manifest = manifest;
    for (const { name } of manifest.tables) this.#tables.set(name, new Map());
    this.put("estados", 1, "São Paulo", "sp").put("estados", 2, "Acre", "AC");
    this.put("cidades", 1, "são paulo", 1).put("cidades", 2, "RIO BRANCO", 2);
    this.put("concessionarias", 1, "  Concessionária NovaDrive Motors São Paulo ", 1);
    this.put("concessionarias", 2, "Concessionária NovaDrive Motors Rio Branco", 2);
    this.put("vendedores", 1, "ÂNGELA DE SOUZA", 1).put("vendedores", 2, "joão lima", 2);
    this.put("clientes", 1, "maria DA conceição", " Rua das Flores, 10 ", 1).put(
      "clientes",
      2,
      "Zé",
      "Av. Brasil, 1",
      2,
    );
    this.put("veiculos", 1, "AgileXplorer", "SUV Compacta", "250000.00");
    this.put("veiculos", 2, "EcoPrestige", "SUV Premium Híbrida", "500000.00");
  }

  /** Inserts or replaces; the first value is the key. */
  put(table: string, key: number, ...rest: readonly Value[]): this {
    this.#table(table).set(key, [key, ...rest]);
    return this;
  }

  /** A sale; its date is UTC. */
  sell(
    key: number,
    sale: {
      vehicle?: number;
      dealership?: number;
      seller?: number;
      client?: number;
      price?: string;
      at?: string | null;
    } = {},
  ): this {
    const {
      vehicle = 1,
      dealership = 1,
      seller = 1,
      client = 1,
      price = "240000.00",
      at = "2025-03-10 12:00:00+00",
    } = sale;
    return this.put("vendas", key, vehicle, dealership, seller, client, price, at);
  }

  delete(table: string, key: number): this {
    this.#table(table).delete(key);
    return this;
  }

  /** What there is, for publishing. */
  tables(): ReadonlyMap<ManifestTable, readonly Row[]> {
    const inserted = "2025-03-01 09:30:00.123456+00";
    return new Map(
      this.#manifest.tables.map((table) => [
        table,
        [...this.#table(table.name).values()].map((values) => [
          ...values.map((value) => (value === null ? null : String(value))),
          inserted,
          null,
        ]),
      ]),
    );
  }

  #table(name: string): Map<number, readonly Value[]> {
    const table = this.#tables.get(name);
    if (!table) throw new RangeError(`No table ${name}`);
    return table;
  }
}
