import type { CloseName } from "@bursar/contract/socket/close";
import { isUnavailable } from "@bursar/engine/ledger/unavailable";
import { isProblem } from "../rest/problem.ts";
import type { Connection } from "./connection.ts";
import {
  type Credential,
  type CredentialDeps,
  hasEnded,
  type Known,
  recheckCredential,
} from "./credential.ts";
import type { Session, SessionSocket } from "./session.ts";
import type { SocketSettings } from "./settings.ts";

export interface WatchDeps extends CredentialDeps {
  readonly log: { warn(facts: object, message: string): void };
  readonly settings: SocketSettings;
}

/** Checks at the same time: they must not take the database from those who spend. */
const CHECKERS = 3;
/** Of what cannot be checked for so many periods, nobody knows whether it may stay. */
const PATIENCE_PERIODS = 4;

export interface Watched {
  readonly connections: ReadonlySet<Connection>;
  readonly sessions: Iterable<Session>;
}

/** Asks every socket for signs of life, and every credential whether it is still good: also those of sockets that have
 *  gone, while what they have asked for runs on. Returns how to stop. */
export function watch(watched: Watched, deps: WatchDeps): () => void {
  const { connections } = watched;
  const { pingMilliseconds, dropMilliseconds, recheckMilliseconds } = deps.settings;
  let beatAt = performance.now();
  const beat = () => {
    const now = performance.now();
    // After this process has stood still, what they have said meanwhile is yet to be read.
    const hasStoodStill = now - beatAt > pingMilliseconds;
    beatAt = now;
    for (const connection of connections) {
      if (now - connection.heardAt > dropMilliseconds && !hasStoodStill) connection.close("silent");
      else if (now - connection.pingedAt >= pingMilliseconds) connection.ping(now);
    }
  };
  const pulse = setInterval(beat, Math.max(10, pingMilliseconds / 10)).unref();
  let isChecking = false;
  const check = async () => {
    if (isChecking) return;
    isChecking = true;
    await recheck(watched, deps).finally(() => {
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
  readonly sockets: SessionSocket[];
}

/** Each credential once, however many sockets it has. */
async function recheck(watched: Watched, deps: WatchDeps): Promise<void> {
  const before = performance.now() - deps.settings.recheckMilliseconds;
  const due = [...dueOf(socketsOf(watched), before).values()];
  const worker = async () => {
    for (let next = due.pop(); next !== undefined; next = due.pop()) await checkOne(next, deps);
  };
  await Promise.all(Array.from({ length: Math.min(CHECKERS, due.length) }, worker));
}

function* socketsOf({ connections, sessions }: Watched): Generator<SessionSocket> {
  yield* connections;
  for (const { connection, client, running } of sessions)
    if (connection === null && client !== null && running.size > 0) yield client;
}

function dueOf(sockets: Iterable<SessionSocket>, before: number): Map<string, Due> {
  const due = new Map<string, Due>();
  for (const socket of sockets) {
    if (socket.checkedAt > before) continue;
    const { credential } = socket;
    const name = credential.authorization ?? credential.cookie ?? "";
    const known = due.get(name);
    if (known === undefined) due.set(name, { credential, sockets: [socket] });
    else known.sockets.push(socket);
  }
  return due;
}

async function checkOne({ credential, sockets }: Due, deps: WatchDeps): Promise<void> {
  try {
    const before = sockets[0]!.known;
    const known = await recheckCredential(deps, credential, before);
    const isOver = isProblem(known) && (await hasEnded(deps, before));
    for (const socket of sockets) {
      socket.checkedAt = performance.now();
      if (isProblem(known)) end(socket, "unauthenticated", isOver, known.message);
      else if (!mayUse(known, socket)) end(socket, "forbidden", true);
      else socket.known = known;
    }
  } catch (error) {
    if (!isUnavailable(error)) deps.log.warn({ err: error }, "a socket's credential could not be checked");
    const longest = deps.settings.recheckMilliseconds * PATIENCE_PERIODS;
    for (const socket of sockets)
      if (performance.now() - socket.checkedAt > longest) socket.close("unavailable");
  }
}

function mayUse({ principal: { kind, accountId } }: Known, socket: SessionSocket): boolean {
  return kind === "admin" || accountId === socket.accountId;
}

/** With a right that is over ends what is done by it, unless the session's client has come back by another. */
function end(socket: SessionSocket, name: CloseName, isOver: boolean, reason?: string): void {
  socket.close(name, reason);
  const { session } = socket;
  if (isOver && session?.client === socket) session.cancelAll();
}
