/** SHOW: columns as https://docs.snowflake.com/en/sql-reference/sql/show names them. */
import { MAX_VARCHAR } from "../../../../runtime/manifest/warehouse-type.ts";
import type { Column, Relation } from "../catalogue.ts";
import type { StatementContext } from "../context.ts";
import { notFound } from "../errors.ts";
import type { TokenReader } from "../lexer.ts";
import type { Outcome } from "../result.ts";
import { showAccountObjects } from "./account.ts";
import {
  showFutureGrants,
  showGrants,
  showResourceMonitors,
  showTransactions,
  showWarehouses,
} from "./show-account.ts";
import { pattern, shown, type ShownRow } from "./shown.ts";

export async function show(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const terse = reader.words("TERSE");
  const word = reader.next()?.value ?? "";
  if (word === "TRANSACTIONS") return shown(showTransactions(context, reader), TRANSACTION_COLUMNS);
  if (word === "WAREHOUSES") return shown(showWarehouses(context, reader), WAREHOUSE_COLUMNS);
  if (word === "RESOURCE" && reader.words("MONITORS"))
    return shown(showResourceMonitors(context, reader), MONITOR_COLUMNS);
  if (word === "GRANTS") return shown(showGrants(context, reader), GRANT_COLUMNS);
  if (word === "FUTURE" && reader.words("GRANTS")) return shown(showFutureGrants(context, reader), FUTURE_COLUMNS);
  const accountObjects = showAccountObjects(context, reader.words("POLICIES") ? `${word} POLICIES` : word);
  if (accountObjects) return shown(accountObjects, ACCOUNT_OBJECT_COLUMNS);
  const like = reader.words("LIKE") ? pattern(reader.next()?.value ?? "") : undefined;
  const scope = readScope(context, reader, word);
  reader.words("STARTS", "WITH");
  if (!reader.done()) throw context.unexpected(reader);
  const matches = (name: string): boolean => like?.test(name) ?? true;
  if (word === "SCHEMAS")
    return shown(
      schemas(context).filter((row) => matches(String(row["name"]))),
      SCHEMA_COLUMNS,
    );
  if (word === "STAGES")
    return shown(
      stages(context, scope).filter((row) => matches(String(row["name"]))),
      STAGE_COLUMNS,
    );
  const relations = visible(context, scope);
  if (word === "COLUMNS") {
    return shown(
      relations.flatMap((relation) =>
        relation.columns.filter(({ name }) => matches(name)).map((column) => columnRow(context, relation, column)),
      ),
      COLUMN_COLUMNS,
    );
  }
  const wanted = relations.filter(
    ({ kind, name }) => matches(name) && (word === "OBJECTS" || (word === "VIEWS") === (kind === "VIEW")),
  );
  if (word !== "TABLES" && word !== "VIEWS" && word !== "OBJECTS") throw context.unexpected(context.reader(1));
  return shown(
    wanted.map((relation) => relationRow(context, relation)),
    terse ? TERSE_COLUMNS : RELATION_COLUMNS,
  );
}

const TRANSACTION_COLUMNS = ["id", "user", "session", "name", "started_on", "state", "scope"];
const WAREHOUSE_COLUMNS =
  "name state type size min_cluster_count max_cluster_count started_clusters running queued is_default is_current auto_suspend auto_resume available provisioning quiescing other created_on resumed_on updated_on owner comment enable_query_acceleration query_acceleration_max_scale_factor resource_monitor actives pendings failed suspended uuid scaling_policy budget owner_role_type".split(
    " ",
  );
const MONITOR_COLUMNS =
  "name credit_quota used_credits remaining_credits level frequency start_time end_time notify_at suspend_at suspend_immediately_at created_on owner comment notify_users".split(
    " ",
  );
const GRANT_COLUMNS = "created_on privilege granted_on name granted_to grantee_name grant_option granted_by".split(" ");
const FUTURE_COLUMNS = "created_on privilege grant_on name grant_to grantee_name grant_option".split(" ");
/** Of roles, users and network policies together. */
const ACCOUNT_OBJECT_COLUMNS =
  "created_on name comment owner default_role default_warehouse default_namespace has_rsa_public_key type entries_in_allowed_ip_list".split(
    " ",
  );
const SCHEMA_COLUMNS =
  "created_on name is_default is_current database_name owner comment options retention_time owner_role_type".split(" ");
const STAGE_COLUMNS =
  "created_on name database_name schema_name url has_credentials has_encryption_key owner comment region type cloud notification_channel storage_integration endpoint owner_role_type directory_enabled".split(
    " ",
  );
const TERSE_COLUMNS = "created_on name kind database_name schema_name".split(" ");
const RELATION_COLUMNS =
  "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time".split(" ");
const COLUMN_COLUMNS =
  "table_name schema_name column_name data_type null? default kind expression comment database_name autoincrement schema_evolution_record".split(
    " ",
  );
interface Scope {
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
}

/** IN SCHEMA, IN DATABASE, IN ACCOUNT, IN TABLE; the session's schema if there is none of them. */
function readScope(context: StatementContext, reader: TokenReader, word: string): Scope {
  const { session, account } = context;
  if (!reader.words("IN")) {
    return session.schema !== null && word !== "SCHEMAS" ? { schema: session.schema } : {};
  }
  if (reader.words("ACCOUNT")) return {};
  if (reader.words("DATABASE")) {
    const database = reader.done() ? account.catalogue.database : reader.next()?.value;
    if (database !== account.catalogue.database) throw notFound("Database", database ?? "");
    return {};
  }
  if (reader.words("TABLE") || reader.words("VIEW")) {
    const relation = context.relation(context.path(reader), "Table");
    return { schema: relation.schema, table: relation.name };
  }
  reader.words("SCHEMA");
  const first = reader.next()?.value ?? "";
  const schema = reader.punctuation(".") ? (reader.next()?.value ?? "") : first;
  context.requireSchema(schema);
  return { schema };
}

function visible(context: StatementContext, { schema, table }: Scope): readonly Relation[] {
  const own = [...context.session.temporary.values()];
  return [...context.account.catalogue.relations(schema), ...own].filter(
    (relation) =>
      (schema === undefined || relation.schema === schema) &&
      (table === undefined || relation.name === table) &&
      context.sees(relation),
  );
}

function relationRow({ account, session }: StatementContext, relation: Relation): ShownRow {
  return {
    created_on: relation.createdOn,
    name: relation.name,
    kind: relation.kind,
    database_name: account.catalogue.database,
    schema_name: relation.schema,
    comment: relation.comment ?? "",
    cluster_by: "",
    owner: session.role,
    retention_time: relation.kind === "TRANSIENT" || relation.kind === "TEMPORARY" ? "0" : "1",
  };
}

function columnRow({ account }: StatementContext, relation: Relation, column: Column): ShownRow {
  return {
    table_name: relation.name,
    schema_name: relation.schema,
    column_name: column.name,
    data_type: JSON.stringify(dataType(column)),
    "null?": column.nullable ? "true" : "NOT_NULL",
    default: "",
    kind: "COLUMN",
    expression: "",
    comment: column.comment ?? "",
    database_name: account.catalogue.database,
    autoincrement: "",
  };
}

/** As SHOW COLUMNS writes a type: `{"type":"FIXED","precision":38,"scale":0,"nullable":true}`. */
function dataType({ type, nullable }: Column): object {
  switch (type.kind) {
    case "number":
      return { type: "FIXED", precision: type.precision, scale: type.scale, nullable };
    case "varchar":
      return {
        type: "TEXT",
        length: type.length,
        byteLength: Math.min(4 * type.length, MAX_VARCHAR),
        nullable,
        fixed: false,
      };
    case "binary":
      return { type: "BINARY", length: type.length, byteLength: type.length, nullable, fixed: true };
    case "float":
      return { type: "REAL", nullable };
    case "time":
    case "timestamp_ltz":
    case "timestamp_ntz":
    case "timestamp_tz":
      return { type: type.kind.toUpperCase(), precision: 0, scale: type.precision, nullable };
    case "boolean":
    case "date":
    case "variant":
      return { type: type.kind.toUpperCase(), nullable };
  }
}

function schemas({ account, session, grants }: StatementContext): readonly ShownRow[] {
  return [...account.catalogue.schemas]
    .filter(([name]) => grants.sees("SCHEMA", name))
    .map(([name, createdOn]) => ({
      created_on: createdOn,
      name,
      is_default: "N",
      is_current: name === session.schema ? "Y" : "N",
      database_name: account.catalogue.database,
      owner: session.role,
      comment: "",
      retention_time: "1",
    }));
}

function stages({ account, session, grants }: StatementContext, { schema }: Scope): readonly ShownRow[] {
  return account.catalogue
    .stages(schema)
    .filter((stage) => grants.sees("STAGE", `${stage.schema}.${stage.name}`))
    .map((stage) => ({
      created_on: stage.createdOn,
      name: stage.name,
      database_name: account.catalogue.database,
      schema_name: stage.schema,
      url: "",
      owner: session.role,
      comment: "",
      type: "INTERNAL",
      directory_enabled: "N",
    }));
}
