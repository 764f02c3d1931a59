import { isUnavailable } from "@bursar/engine/ledger/unavailable";
import { isProblem } from "../rest/problem.ts";
import type { Connection } from "./connection.ts";
import { type Credential, type CredentialDeps, recheckCredential } from "./credential.ts";
import type { SocketSettings } from "./settings.ts";

export interface WatchDeps extends CredentialDeps {
  readonly log: { warn(facts: object, message: string): void };
  readonly settings: SocketSettings;
}

/** Checks at the same time: they must not take the database from those who spend. */
const CHECKERS = 3;
/** Of what cannot be checked for so many periods, nobody knows whether it may stay. */
const PATIENCE_PERIODS = 4;

/** Asks every socket for signs of life, and every credential whether it is still good. Returns how to stop. */
export function watch(connections: ReadonlySet<Connection>, deps: WatchDeps): () => void {
  const { pingMilliseconds, dropMilliseconds, recheckMilliseconds } = deps.settings;
  const beat = () => {
    const now = performance.now();
    for (const connection of connections) {
      if (now - connection.heardAt > dropMilliseconds) connection.close("silent");
      else if (now - connection.pingedAt >= pingMilliseconds) connection.ping(now);
    }
  };
  const pulse = setInterval(beat, Math.max(10, pingMilliseconds / 10)).unref();
  let isChecking = false;
  const check = async () => {
    if (isChecking) return;
    isChecking = true;
    await recheck(connections, deps).finally(() => {
      isChecking = false;
    });
  };
  const checks = setInterval(() => void check(), Math.max(10, recheckMilliseconds / 5)).unref();
  return () => {
    clearInterval(pulse);
    clearInterval(checks);
  };
}

interface Due {
  readonly credential: Credential;
  readonly connections: Connection[];
}

/** Each credential once, however many sockets it has. */
async function recheck(connections: ReadonlySet<Connection>, deps: WatchDeps): Promise<void> {
  const due = [...dueOf(connections, performance.now() - deps.settings.recheckMilliseconds).values()];
  const worker = async () => {
    for (let next = due.pop(); next !== undefined; next = due.pop()) await checkOne(next, deps);
  };
  await Promise.all(Array.from({ length: Math.min(CHECKERS, due.length) }, worker));
}

function dueOf(connections: ReadonlySet<Connection>, before: number): Map<string, Due> {
  const due = new Map<string, Due>();
  for (const connection of connections) {
    if (connection.checkedAt > before) continue;
    const { credential } = connection;
    const name = credential.authorization ?? credential.cookie ?? "";
    const known = due.get(name);
    if (known === undefined) due.set(name, { credential, connections: [connection] });
    else known.connections.push(connection);
  }
  return due;
}

async function checkOne({ credential, connections }: Due, deps: WatchDeps): Promise<void> {
  try {
    const known = await recheckCredential(deps, credential, connections[0]!.known);
    const now = performance.now();
    for (const connection of connections) {
      if (isProblem(known)) {
        connection.close("unauthenticated", known.message);
        continue;
      }
      const { kind, accountId } = known.principal;
      if (kind !== "admin" && accountId !== connection.accountId) connection.close("forbidden");
      connection.known = known;
      connection.checkedAt = now;
    }
  } catch (error) {
    if (!isUnavailable(error)) deps.log.warn({ err: error }, "a socket's credential could not be checked");
    const longest = deps.settings.recheckMilliseconds * PATIENCE_PERIODS;
    for (const connection of connections)
      if (performance.now() - connection.checkedAt > longest) connection.close("unavailable");
  }
}
