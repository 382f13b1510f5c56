/** CREATE, ALTER, DROP and SHOW of what belongs to the account: roles, users, network policies, warehouses. */
import type { Options } from "../account-objects.ts";
import type { StatementContext } from "../context.ts";
import { alreadyExists, notFound, SnowflakeError } from "../errors.ts";
import type { TokenReader } from "../lexer.ts";
import { status, type Outcome } from "../result.ts";
import { virtualWarehouse } from "../warehouses.ts";
import type { ShownRow } from "./shown.ts";

/** As SQL writes them, and as messages do. */
const KINDS = { ROLE: "Role", USER: "User", "NETWORK POLICY": "Network policy", WAREHOUSE: "Warehouse" } as const;

type Kind = keyof typeof KINDS;

/** The kind of account object that stands behind CREATE, ALTER or DROP; undefined if it is another object. */
export function accountKind(context: StatementContext): Kind | undefined {
  const reader = context.reader(1);
  reader.words("OR", "REPLACE");
  return readKind(reader);
}

function readKind(reader: TokenReader): Kind | undefined {
  if (reader.words("NETWORK", "POLICY")) return "NETWORK POLICY";
  return (["ROLE", "USER", "WAREHOUSE"] as const).find((word) => reader.words(word));
}

export async function createAccountObject(context: StatementContext): Promise<Outcome> {
  const { account, session } = context;
  const reader = context.reader(1);
  const kind = readKind(reader);
  if (!kind) throw context.unexpected(reader);
  const ifNotExists = reader.words("IF", "NOT", "EXISTS");
  const name = reader.next()?.value ?? "";
  const options = readOptions(context, reader);
  if (exists(context, kind, name)) {
    if (!ifNotExists) throw alreadyExists(name);
    return status(`${name} already exists, statement succeeded.`);
  }
  context.requirePrivilege(`CREATE ${kind}`, "ACCOUNT", account.name);
  if (kind === "ROLE") account.roles.make(name);
  else if (kind === "NETWORK POLICY") account.objects.policies.set(name, options);
  else if (kind === "USER") account.objects.users.set(name, requirePolicy(context, options));
  else account.warehouses.set(name, { ...virtualWarehouse({ name }), ...warehouseSettings(options) });
  account.roles.made(session.role, kind, name);
  return status(`${KINDS[kind]} ${name} successfully created.`);
}

export async function alterAccountObject(context: StatementContext): Promise<Outcome> {
  const { account } = context;
  const reader = context.reader(1);
  const kind = readKind(reader);
  if (!kind) throw context.unexpected(reader);
  const ifExists = reader.words("IF", "EXISTS");
  const name = reader.next()?.value ?? "";
  if (!exists(context, kind, name)) {
    if (!ifExists) throw notFound(KINDS[kind], name);
    return status("Statement executed successfully.");
  }
  if (kind === "WAREHOUSE" && (reader.isWords("RESUME") || reader.isWords("SUSPEND"))) {
    context.requirePrivilege("OPERATE", kind, name);
    const warehouse = account.warehouses.get(name);
    if (warehouse) warehouse.state = reader.isWords("RESUME") ? "STARTED" : "SUSPENDED";
    return status("Statement executed successfully.");
  }
  context.requirePrivilege("OWNERSHIP", kind, name);
  const changed = readChanges(context, reader);
  const { users, policies } = account.objects;
  if (kind === "USER") users.set(name, requirePolicy(context, merged(users.get(name), changed)));
  else if (kind === "NETWORK POLICY") policies.set(name, merged(policies.get(name), changed));
  else if (kind === "WAREHOUSE") Object.assign(account.warehouses.get(name) ?? {}, warehouseSettings(changed));
  return status("Statement executed successfully.");
}

export async function dropAccountObject(context: StatementContext): Promise<Outcome> {
  const { account, session } = context;
  const reader = context.reader(1);
  const kind = readKind(reader);
  if (!kind) throw context.unexpected(reader);
  const ifExists = reader.words("IF", "EXISTS");
  const name = reader.next()?.value ?? "";
  if (!exists(context, kind, name)) {
    if (!ifExists) throw notFound(KINDS[kind], name);
    return status(`Drop statement executed successfully (${name} already dropped).`);
  }
  context.requirePrivilege("OWNERSHIP", kind, name);
  const [attached] = kind === "NETWORK POLICY" ? account.objects.usersOf(name) : [];
  if (attached !== undefined) {
    throw new SnowflakeError(
      "001492",
      "42601",
      `SQL compilation error:\nCannot perform Drop operation on network policy ${name}. The policy is attached to USER with name ${attached}. Unset the network policy from USER and try the Drop operation again.`,
    );
  }
  account.roles.gone(kind, name);
  if (kind === "ROLE") account.roles.drop(name, session.role);
  else if (kind === "NETWORK POLICY") account.objects.policies.delete(name);
  else if (kind === "USER") account.objects.users.delete(name);
  else account.warehouses.delete(name);
  return status(`${name} successfully dropped.`);
}

/** Rows of SHOW ROLES, SHOW USERS and SHOW NETWORK POLICIES, as far as they are of use here. */
export function showAccountObjects(context: StatementContext, word: string): readonly ShownRow[] | undefined {
  const { roles, objects } = context.account;
  if (word === "ROLES") {
    return roles.all().map((name) => ({ name, owner: roles.ownerOf("ROLE", name) ?? "" }));
  }
  if (word === "USERS") {
    return Array.from(objects.users, ([name, options]) => ({
      name,
      comment: shownText(options, "COMMENT"),
      default_role: shownText(options, "DEFAULT_ROLE"),
      default_warehouse: shownText(options, "DEFAULT_WAREHOUSE"),
      default_namespace: shownText(options, "DEFAULT_NAMESPACE"),
      owner: roles.ownerOf("USER", name) ?? "",
      has_rsa_public_key: String(options.has("RSA_PUBLIC_KEY")),
      type: shownText(options, "TYPE"),
    }));
  }
  if (word !== "NETWORK POLICIES") return undefined;
  return Array.from(objects.policies, ([name, options]) => ({
    name,
    comment: shownText(options, "COMMENT"),
    entries_in_allowed_ip_list: String(options.get("ALLOWED_IP_LIST")?.length ?? 0),
  }));
}

function shownText(options: Options, name: string): string {
  const value = options.get(name);
  return typeof value === "string" ? value : "";
}

function exists({ account }: StatementContext, kind: Kind, name: string): boolean {
  if (kind === "ROLE") return account.roles.exists(name);
  if (kind === "WAREHOUSE") return account.warehouses.has(name);
  return (kind === "USER" ? account.objects.users : account.objects.policies).has(name);
}

function requirePolicy(context: StatementContext, options: Options): Options {
  const policy = options.get("NETWORK_POLICY");
  if (typeof policy !== "string") return options;
  if (!context.account.objects.policies.has(policy)) throw notFound(KINDS["NETWORK POLICY"], policy);
  context.requirePrivilege("OWNERSHIP", "NETWORK POLICY", policy);
  return options;
}

const SIZES: Readonly<Record<string, string>> = { XSMALL: "X-Small", SMALL: "Small", MEDIUM: "Medium", LARGE: "Large" };

function warehouseSettings(options: Options) {
  const size = shownText(options, "WAREHOUSE_SIZE");
  const suspend = shownText(options, "AUTO_SUSPEND");
  const resume = shownText(options, "AUTO_RESUME");
  return {
    ...(size === "" ? {} : { size: SIZES[size.toUpperCase()] ?? size }),
    ...(suspend === "" ? {} : { autoSuspend: Number(suspend) }),
    ...(resume === "" ? {} : { autoResume: resume.toUpperCase() === "TRUE" }),
  };
}

/** `SET a = 1 b = 2` or `UNSET a, b`; what is unset has the empty text. */
function readChanges(context: StatementContext, reader: TokenReader): Options {
  if (reader.words("SET")) return readOptions(context, reader);
  context.expect(reader, "UNSET");
  const names: string[] = [];
  do names.push(reader.next()?.value ?? "");
  while (reader.punctuation(","));
  return new Map(names.map((name) => [name, ""]));
}

function merged(before: Options | undefined, changed: Options): Options {
  return new Map([...(before ?? []), ...changed].filter(([, value]) => value !== ""));
}

/** `NAME = value`, where a value is a word, a name, a text, a number, or a list of them in brackets. */
function readOptions(context: StatementContext, reader: TokenReader): Options {
  const options = new Map<string, string | readonly string[]>();
  while (!reader.done()) {
    reader.punctuation(",");
    const name = reader.next();
    if (name?.kind !== "word" || !reader.punctuation("=")) throw context.unexpected(reader);
    const value = reader.punctuation("(")
      ? reader
          .untilClosed()
          .filter(({ text }) => text !== ",")
          .map((token) => token.value)
      : reader.next()?.value;
    if (value === undefined) throw context.unexpected(reader);
    options.set(name.value, value);
  }
  return options;
}
