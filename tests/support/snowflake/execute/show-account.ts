/** SHOW for what belongs to the account: transactions, warehouses, grants. */
import type { StatementContext } from "../context.ts";
import { notFound } from "../errors.ts";
import type { TokenReader } from "../lexer.ts";
import { PRIVILEGES } from "../grants.ts";
import { pattern, type ShownRow } from "./shown.ts";

/** https://docs.snowflake.com/en/sql-reference/sql/show-transactions: those of the user. */
export function showTransactions(context: StatementContext, reader: TokenReader): readonly ShownRow[] {
  reader.words("IN", "ACCOUNT");
  if (!reader.done()) throw context.unexpected(reader);
  return [...context.account.sessions.values()].flatMap(({ user, id, transaction }) =>
    transaction && user === context.session.user
      ? [
          {
            id: transaction.id,
            user,
            session: String(id),
            name: transaction.name,
            started_on: transaction.startedOn,
            state: "running",
            scope: "0",
          },
        ]
      : [],
  );
}

/** https://docs.snowflake.com/en/sql-reference/sql/show-warehouses */
export function showWarehouses(context: StatementContext, reader: TokenReader): readonly ShownRow[] {
  const like = reader.words("LIKE") ? pattern(reader.next()?.value ?? "") : undefined;
  if (!reader.done()) throw context.unexpected(reader);
  const { account, session, grants } = context;
  return [...account.warehouses.values()]
    .filter(({ name }) => (like?.test(name) ?? true) && grants.sees("WAREHOUSE", name))
    .map((warehouse) => ({
      name: warehouse.name,
      state: warehouse.state,
      type: "STANDARD",
      size: warehouse.size,
      min_cluster_count: "1",
      max_cluster_count: "1",
      started_clusters: warehouse.state === "STARTED" ? "1" : "0",
      running: "0",
      queued: "0",
      is_default: "N",
      is_current: warehouse.name === session.warehouse ? "Y" : "N",
      auto_suspend: warehouse.autoSuspend === null ? null : String(warehouse.autoSuspend),
      auto_resume: String(warehouse.autoResume),
      available: "",
      owner: "SYSADMIN",
      comment: "",
      resource_monitor: warehouse.exceededMonitor ?? "null",
      scaling_policy: "STANDARD",
      owner_role_type: "ROLE",
    }));
}

/** https://docs.snowflake.com/en/sql-reference/sql/show-resource-monitors: those that have stopped a warehouse. */
export function showResourceMonitors(context: StatementContext, reader: TokenReader): readonly ShownRow[] {
  const like = reader.words("LIKE") ? pattern(reader.next()?.value ?? "") : undefined;
  if (!reader.done()) throw context.unexpected(reader);
  return [...context.account.warehouses.values()].flatMap(({ exceededMonitor: name }) =>
    name !== undefined && (like?.test(name) ?? true)
      ? [{ name, credit_quota: "10.00", used_credits: "10.25", remaining_credits: "0.00", level: "WAREHOUSE" }]
      : [],
  );
}

/** SHOW GRANTS TO ROLE r, SHOW GRANTS ON <kind> name: https://docs.snowflake.com/en/sql-reference/sql/show-grants. */
export function showGrants(context: StatementContext, reader: TokenReader): readonly ShownRow[] {
  const { account, session } = context;
  const { grants } = context;
  const { catalogue } = account;
  const objects: (readonly [on: string, name: string])[] = [
    ["DATABASE", catalogue.database],
    ...[...catalogue.schemas.keys()].map((name) => ["SCHEMA", name] as const),
    ...catalogue
      .relations()
      .map(({ kind, schema, name }) => [kind === "VIEW" ? "VIEW" : "TABLE", `${schema}.${name}`] as const),
    ...catalogue.stages().map(({ schema, name }) => ["STAGE", `${schema}.${name}`] as const),
    ...[...account.warehouses.keys()].map((name) => ["WAREHOUSE", name] as const),
  ];
  let wanted = objects;
  if (reader.words("TO", "ROLE")) {
    const role = reader.next()?.value ?? "";
    if (account.roles.isMade(role)) return roleGrants(context, role);
    if (role === "PUBLIC") wanted = [];
    else if (role !== session.role) throw notFound("Role", role);
  } else if (reader.words("ON")) {
    const kind = reader.next()?.value ?? "";
    if (!(kind in PRIVILEGES)) throw context.unexpected(context.reader(reader.at - 1));
    const names: string[] = [];
    do names.push(reader.next()?.value ?? "");
    while (reader.punctuation("."));
    const name = (names[0] === catalogue.database && names.length > 1 ? names.slice(1) : names).join(".");
    wanted = objects.filter(([on, object]) => on === kind && object === name);
    if (wanted.length === 0 || !grants.sees(kind, name)) throw notFound(kind, name);
  }
  if (!reader.done()) throw context.unexpected(reader);
  return wanted.flatMap(([on, name]) =>
    grants.of(on, name).map(({ privilege }) => ({
      created_on: new Date(),
      privilege,
      granted_on: on,
      name: on === "DATABASE" || on === "WAREHOUSE" ? name : catalogue.path(name),
      granted_to: "ROLE",
      grantee_name: session.role,
      grant_option: "false",
      granted_by: "SECURITYADMIN",
    })),
  );
}

/** Of a role that SQL has made: what it holds by itself, the roles that it has among that. */
function roleGrants({ account }: StatementContext, role: string): readonly ShownRow[] {
  const { roles, catalogue } = account;
  const row = (privilege: string, on: string, name: string): ShownRow => ({
    created_on: new Date(),
    privilege,
    granted_on: on.replaceAll(" ", "_"),
    name,
    granted_to: "ROLE",
    grantee_name: role,
    grant_option: "false",
    granted_by: roles.ownerOf(on, name) ?? "",
  });
  const inDatabase = new Set(["SCHEMA", "TABLE", "VIEW", "STAGE"]);
  return [
    ...roles
      .grantsTo(role)
      .map(({ privilege, on, name }) => row(privilege, on, inDatabase.has(on) ? catalogue.path(name) : name)),
    ...roles.rolesOf("ROLE", role).map((name) => row("USAGE", "ROLE", name)),
  ];
}

/** SHOW FUTURE GRANTS TO ROLE r */
export function showFutureGrants(context: StatementContext, reader: TokenReader): readonly ShownRow[] {
  context.expect(reader, "TO", "ROLE");
  const role = reader.next()?.value ?? "";
  const { roles, catalogue } = context.account;
  return roles.futureGrantsTo(role).map(({ privilege, on, schema }) => ({
    created_on: new Date(),
    privilege,
    grant_on: on,
    name: `${catalogue.path(schema)}.<${on}>`,
    grant_to: "ROLE",
    grantee_name: role,
    grant_option: "false",
  }));
}
