/** The whole postgresql.conf of the demo, written anew at each start so that it always fits this version of the program. */

export interface ServerSettings {
  readonly port: number;
  /** Win over the demo's own. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

export function serverSettings({ port, settings }: ServerSettings): string {
  const ownSettings: Readonly<Record<string, string>> = {
    cluster_name: "novadrive-demo",
    listen_addresses: "127.0.0.1",
    port: String(port),
    // A socket file would need a short path and a folder that every account may enter.
    unix_socket_directories: "",
    max_connections: "60",
    password_encryption: "scram-sha-256",
    shared_buffers: "128MB",
    maintenance_work_mem: "128MB",
    // Losing the last half second of invented sales in a power cut is fine; a torn data folder is not, so fsync stays on.
    synchronous_commit: "off",
    max_wal_size: "1GB",
    jit: "off",
    // Ends the statements of a client that was killed, which PostgreSQL otherwise notices only when it writes to it.
    client_connection_check_interval: "1s",
    timezone: "America/Sao_Paulo",
    log_timezone: "UTC",
    datestyle: "ISO, DMY",
    default_text_search_config: "pg_catalog.portuguese",
    log_checkpoints: "off",
    log_line_prefix: "%m [%p] %a ",
  };
  return Object.entries({ ...ownSettings, ...settings })
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join("");
}
