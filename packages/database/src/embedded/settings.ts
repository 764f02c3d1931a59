export type PostgresSettings = Readonly<Record<string, string | number>>;

/** For one ledger process beside its database on a small machine. What is acknowledged is on disk: `fsync` and
 *  `synchronous_commit` stay on. */
export const LEDGER_SETTINGS: PostgresSettings = {
  cluster_name: "bursar",
  max_connections: 100,
  shared_buffers: "256MB",
  effective_cache_size: "1GB",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  wal_buffers: "16MB",
  min_wal_size: "256MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  random_page_cost: 1.1,
  // Short statements only: compiling one costs more than running it.
  jit: "off",
  // Accounts are updated all the time; clean up before bloat shows.
  autovacuum_vacuum_scale_factor: 0.05,
  autovacuum_naptime: "15s",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] %q%a ",
  log_min_duration_statement: "2s",
  // Not what they were given: mails, hashes of passwords.
  log_parameter_max_length: 0,
};

/** For test clusters, whose content nobody misses. */
export const THROWAWAY_SETTINGS: PostgresSettings = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  shared_buffers: "128MB",
  max_wal_size: "1GB",
};

/** The same, as arguments of `postgres`. */
export function settingArguments(settings: PostgresSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
