/** What Snowflake knows of schemas, tables, views and stages; DuckDB holds the rows only. */
import type { WarehouseType } from "../../../runtime/manifest/warehouse-type.ts";

export interface Column {
  readonly name: string;
  readonly type: WarehouseType;
  readonly nullable: boolean;
  comment?: string | undefined;
}

export type Kind = "TABLE" | "TRANSIENT" | "TEMPORARY" | "VIEW";

export interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly kind: Kind;
  readonly columns: readonly Column[];
  comment?: string | undefined;
  readonly createdOn: Date;
  /** Files that COPY has loaded: https://docs.snowflake.com/en/user-guide/data-load-considerations-load#load-metadata. */
  readonly loaded: Set<string>;
  /** Query of a view. */
  readonly text?: string | undefined;
}

export interface Stage {
  readonly schema: string;
  readonly name: string;
  readonly createdOn: Date;
  readonly fileFormat: string;
}

export class Catalogue {
  readonly firstDatabase: string;
  /** The only one. */
  database: string;
  readonly schemas = new Map<string, Date>();
  readonly #relations = new Map<string, Relation>();
  readonly #stages = new Map<string, Stage>();

  constructor(database: string) {
    this.firstDatabase = database;
    this.database = database;
  }

  relation(schema: string, name: string): Relation | undefined {
    return this.#relations.get(key(schema, name));
  }

  setRelation(relation: Relation): void {
    this.#relations.set(key(relation.schema, relation.name), relation);
  }

  dropRelation(relation: Relation): void {
    this.#relations.delete(key(relation.schema, relation.name));
  }

  relations(schema?: string): readonly Relation[] {
    return inOrder(this.#relations.values(), schema);
  }

  stage(schema: string, name: string): Stage | undefined {
    return this.#stages.get(key(schema, name));
  }

  setStage(stage: Stage): void {
    this.#stages.set(key(stage.schema, stage.name), stage);
  }

  dropStage(stage: Stage): void {
    this.#stages.delete(key(stage.schema, stage.name));
  }

  stages(schema?: string): readonly Stage[] {
    return inOrder(this.#stages.values(), schema);
  }

  dropSchema(schema: string): void {
    for (const relation of this.relations(schema)) this.dropRelation(relation);
    for (const stage of this.stages(schema)) this.dropStage(stage);
    this.schemas.delete(schema);
  }

  /** `DB.SCHEMA.NAME`, as error messages have it. */
  path(...names: readonly string[]): string {
    return [this.database, ...names].join(".");
  }
}

function key(schema: string, name: string): string {
  return JSON.stringify([schema, name]);
}

function inOrder<T extends { readonly schema: string; readonly name: string }>(
  all: Iterable<T>,
  schema: string | undefined,
): readonly T[] {
  const order = ({ schema: a, name }: T): string => `${a}\0${name}`;
  return [...all]
    .filter((one) => schema === undefined || one.schema === schema)
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}
