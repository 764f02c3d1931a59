import { type ChildProcess, spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { postgresEnvironment } from "./environment.ts";
import type { Identity } from "./identity.ts";

/** A process that runs Postgres and outlives us just long enough to stop it. */
export interface Supervisor {
  /** The postmaster's. */
  readonly pid: number;
  /** Settles when Postgres has ended, with its exit code. */
  readonly ended: Promise<number | null>;
  /** Asks for a fast shutdown. Our death, by whatever cause, asks for the same. */
  requestStop(): void;
}

/** Starts "$@" and waits for it. Beside it, a reader waits for the end of our pipe: the kernel closes that when our
 *  process ends, even by kill -9, and then Postgres gets SIGINT. Signals of a terminal or a service manager are for
 *  the application, which drains first; hence the trap. */
const SCRIPT = `
trap '' HUP INT TERM
exec 3<&0
"$@" 3<&- </dev/null >&2 &
postgres=$!
echo "$postgres"
exec >&2
( read -r line <&3; kill -INT "$postgres" ) &
reader=$!
wait "$postgres"
code=$?
kill -KILL "$reader" 2>/dev/null
wait "$reader" 2>/dev/null
[ -z "$REMOVE_AT_END" ] || rm -rf -- "$REMOVE_AT_END"
exit "$code"
`;

export interface SupervisorRequest {
  readonly identity: Identity;
  readonly command: readonly string[];
  readonly logFile: string;
  /** A folder to delete once Postgres has ended. */
  readonly removeAtEnd: string | null;
}

/** `detached` gives it a process group of its own, out of reach of the terminal's Ctrl-C. */
export async function superviseCommand(request: SupervisorRequest): Promise<Supervisor> {
  const log = await open(request.logFile, "a", 0o600);
  try {
    const args = ["-c", SCRIPT, "bursar-postgres", ...request.identity.commandPrefix, ...request.command];
    const child = spawn("/bin/sh", args, {
      ...request.identity.spawnOptions,
      cwd: "/",
      detached: true,
      env: { ...postgresEnvironment(), REMOVE_AT_END: request.removeAtEnd ?? "" },
      stdio: ["pipe", "pipe", log.fd],
    });
    return await watch(child);
  } finally {
    await log.close();
  }
}

async function watch(child: ChildProcess): Promise<Supervisor> {
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("the supervisor of Postgres has no pipes");
  const pid = await readPid(stdout);
  stdin.on("error", () => {
    // Postgres has ended by itself; `ended` tells.
  });
  // A running Postgres is no reason for our process to live on; one that is being stopped is.
  child.unref();
  if (stdin instanceof Socket) stdin.unref();
  const requestStop = () => {
    child.ref();
    stdin.end();
  };
  return { pid, ended, requestStop };
}

async function readPid(stdout: Readable): Promise<number> {
  for await (const chunk of stdout) return Number(String(chunk).trim());
  throw new Error("the supervisor of Postgres ended at once");
}
