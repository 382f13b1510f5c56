/** `POST /session/v1/login-request`: who logs in, and what the session begins with. */
import type { Account } from "./account.ts";
import { SnowflakeError } from "./errors.ts";
import { field, HttpStatus, type Request } from "./http.ts";
import { authenticate, type LoginRequest, type LoginRules } from "./login.ts";
import { success } from "./replies.ts";

/** Where every client of this server is. */
const ADDRESS = "127.0.0.1";

export interface LoginOptions {
  readonly account: Account;
  readonly login: LoginRules;
  /** Whether a network policy keeps the address out. */
  readonly isBlocked: () => boolean;
}

export async function logIn({ body, query }: Request, { account, login, isBlocked }: LoginOptions): Promise<object> {
  if (isBlocked()) throw notAllowed();
  const request: LoginRequest = field(body, "data") ?? {};
  if (request.ACCOUNT_NAME?.toUpperCase() !== account.name) throw new HttpStatus(404);
  if (request.TOKEN !== undefined) account.secrets.add(request.TOKEN);
  const user = authenticate(request, login);
  const role = query.get("roleName")?.toUpperCase() ?? user.role;
  const isMade = account.objects.users.has(user.name);
  if (!account.objects.admits(user.name, ADDRESS)) throw notAllowed();
  if (isMade ? !account.roles.hasRole("USER", user.name, role) : role !== user.role) {
    throw new SnowflakeError(
      "390189",
      "08001",
      `Role '${role}' specified in the connect string is not granted to this user. Contact your local system administrator, or attempt to login with another role, e.g. PUBLIC.`,
    );
  }
  const known = (name: string, has: (value: string) => boolean): string | null => {
    const value = query.get(name);
    const upper = value === null ? null : unquote(value);
    return upper !== null && has(upper) ? upper : null;
  };
  const grants = account.privilegesOf(role);
  const isSchema = (name: string): boolean => account.catalogue.schemas.has(name) && grants.sees("SCHEMA", name);
  const session = await account.openSession({
    user: user.name,
    role,
    database: known("databaseName", (name) => name === account.catalogue.database && grants.sees("DATABASE", name)),
    // PUBLIC is the default: https://docs.snowflake.com/en/sql-reference/ddl-database#default-namespace
    schema: known("schemaName", isSchema) ?? (isSchema("PUBLIC") ? "PUBLIC" : null),
    warehouse: known("warehouse", (name) => account.warehouses.has(name) && grants.sees("WAREHOUSE", name)),
    parameters: request.SESSION_PARAMETERS ?? {},
    client: {
      ...request.CLIENT_ENVIRONMENT,
      CLIENT_APP_ID: request.CLIENT_APP_ID,
      CLIENT_APP_VERSION: request.CLIENT_APP_VERSION,
    },
  });
  account.secrets.add(session.token).add(session.masterToken);
  return success({
    token: session.token,
    masterToken: session.masterToken,
    validityInSeconds: 3600,
    masterValidityInSeconds: 14_400,
    displayUserName: session.user,
    serverVersion: "9.33.1",
    firstLogin: false,
    healthCheckInterval: 45,
    sessionId: session.id,
    parameters: session.parameters.list(),
    sessionInfo: {
      databaseName: session.database,
      schemaName: session.schema,
      warehouseName: session.warehouse,
      roleName: session.role,
    },
    responseData: null,
  });
}

function notAllowed(): SnowflakeError {
  return new SnowflakeError(
    "390422",
    "08001",
    `Incoming request with IP/Token ${ADDRESS} is not allowed to access Snowflake. Contact your account administrator. For more information about this error, go to https://community.snowflake.com/s/ip-xxxxxxxxxxxx-is-not-allowed-to-access.`,
  );
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toUpperCase();
}
