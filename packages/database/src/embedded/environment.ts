/** What Postgres's programs get to see of our environment: nothing that could change what they do, such as PGPORT or
 *  PGDATA, and no secrets. TZ spares initdb a search through all time zones. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: "C", TZ: "UTC" };
}
