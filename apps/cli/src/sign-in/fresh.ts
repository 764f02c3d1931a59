import { mkdirSync, mkdtempSync, rmdirSync, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Failure } from "../failure.ts";
import { ask, refusal, textOf } from "./ask.ts";
import { type SignedIn, type SignIns, unkept } from "./store.ts";

/** An access token that is good for a while yet. A refresh token is good once, and a second use ends the sign-in; so one
 *  process at a time refreshes, and the others take what it got. */
export async function freshToken(signIns: SignIns, signedIn: SignedIn): Promise<string> {
  if (!isStale(signedIn)) return signedIn.accessToken;
  return locked(`${signIns.path}.lock`, async () => {
    const now = signIns.all().find(({ url }) => url === signedIn.url);
    if (now === undefined) throw ended(signedIn.url);
    if (!isStale(now)) return now.accessToken;
    const answer = await ask(now.url, "POST", "/api/auth/refresh", {
      body: { refreshToken: now.refreshToken },
    });
    if (answer.status === 401) {
      signIns.forget(now.url);
      throw ended(now.url);
    }
    if (answer.status !== 200) throw refusal(answer);
    const renewed = signedInFrom(now.url, answer.body);
    signIns.keep(renewed);
    return renewed.accessToken;
  });
}

/** So is one that would be good for longer than any is: this machine's clock was ahead when it came. */
function isStale({ staleAtMilliseconds }: SignedIn): boolean {
  const left = staleAtMilliseconds - Date.now();
  return left <= 0 || left > FRESH_MILLISECONDS;
}

function ended(url: string): Failure {
  return new Failure("notAllowed", "unauthenticated", `You are not signed in at ${url} any more.`, [
    "Sign in again: bursar login",
  ]);
}

/** A minute before the 15 are over. */
const FRESH_MILLISECONDS = 14 * 60_000;

export function signedInFrom(url: string, body: Readonly<Record<string, unknown>>): SignedIn {
  const user = Object(body["user"]) as Readonly<Record<string, unknown>>;
  return {
    url,
    accessToken: textOf(body, "accessToken"),
    refreshToken: textOf(body, "refreshToken"),
    staleAtMilliseconds: Date.now() + FRESH_MILLISECONDS,
    name: typeof user["username"] === "string" ? user["username"] : textOf(user, "email"),
    role: textOf(user, "role"),
    accountId: textOf(user, "accountId"),
  };
}

const LOCK_TRIES = 100;
const LOCK_WAIT_MILLISECONDS = 100;
/** Longer than a request may take: whoever held it is dead. */
const LOCK_DEAD_MILLISECONDS = 60_000;

/** A folder is made by one process only, on every system. */
async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; !taken(path); attempt++) {
    if (attempt === LOCK_TRIES)
      throw new Failure("unavailable", "unavailable", `Another bursar keeps ${path}.`);
    await setTimeout(LOCK_WAIT_MILLISECONDS);
  }
  const made = madeAt(path);
  try {
    return await work();
  } finally {
    // Whoever slept for longer than the dead do may find it gone, or another's.
    if (madeAt(path) === made) remove(path);
  }
}

function taken(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unkept(path, error);
  }
  const made = madeAt(path);
  if (made !== null && clockOf(path) - made > LOCK_DEAD_MILLISECONDS) remove(path);
  return false;
}

function madeAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/** The time by the file system that the lock is on: it may be another machine's, and this one's may have been set. */
function clockOf(path: string): number {
  const probe = mkdtempSync(`${path}.`);
  const { mtimeMs } = statSync(probe);
  rmdirSync(probe);
  return mtimeMs;
}

/** Several may find it dead. */
function remove(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
