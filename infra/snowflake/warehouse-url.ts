/** NOVADRIVE_WAREHOUSE_URL of the box: names only, nothing secret. */

export interface WarehouseUrlParts {
  readonly organization: string;
  readonly account: string;
  readonly database: string;
  readonly warehouse: string;
  readonly role: string;
  /** Undefined: the box logs in by its role, and Snowflake finds the user by that. */
  readonly keyPair?: { readonly user: string; readonly privateKeySecret: string } | undefined;
}

/** `snowflake://acme-main/NOVADRIVE?warehouse=DEFAULT_WH&role=NOVADRIVE_RUNTIME` */
export function warehouseUrl({ organization, account, database, warehouse, role, keyPair }: WarehouseUrlParts): string {
  // A host name has no underscore: https://docs.snowflake.com/en/user-guide/admin-account-identifier#account-name
  const host = `${organization}-${account}`.replaceAll("_", "-").toLowerCase();
  const parameters = {
    warehouse,
    role,
    ...(keyPair === undefined ? {} : { user: keyPair.user, private_key: keyPair.privateKeySecret }),
  };
  const query = Object.entries(parameters).map(([key, value]) => `${key}=${readable(value)}`);
  return `snowflake://${host}/${readable(database)}?${query.join("&")}`;
}

/** Colons and slashes mean nothing in a query, and an ARN is made of them. */
function readable(value: string): string {
  return encodeURIComponent(value).replaceAll("%3A", ":").replaceAll("%2F", "/");
}
