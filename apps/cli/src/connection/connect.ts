import type { Client } from "@bursar/client";
import { Failure, usageFailure } from "../failure.ts";
import { type Choice, choose, chooseUrl, type Known, type Need } from "./choose.ts";
import { howToStart } from "./start.ts";

export interface Connection {
  readonly client: Client;
  /** The key, for what is no call: renewed first, where it is from a sign-in. */
  readonly credential: () => Promise<string>;
  /** To spread into a call's fields: names the account where it must or should be named. */
  readonly account: { readonly accountId?: string };
  /** The account's id, for calls that cannot do without. Throws: none is known. */
  readonly requireAccount: () => string;
}

/** Where a sandbox was looked for, and where one is started. */
export interface Looked {
  readonly paths: readonly string[];
  readonly repository: string;
}

export type Chosen = Extract<Choice, { kind: "chosen" }>;

/** Throws: nothing to connect to, or no key, with all that was looked at and what would help. */
export function chooseOrExplain(known: Known, need: Need, looked: Looked): Chosen {
  const choice = choose(known, need);
  if (choice.kind === "chosen") return choice;
  if (choice.kind === "no_key" && !URL.canParse(choice.url.value)) throw noAddress(choice.url);
  throw choice.kind === "no_url" ? noSandbox(looked) : noKey(choice.url.value, need);
}

/** The origin to sign in at. Throws: none is known, or it is no address, or it is below a path, where no one signs in. */
export function serverOrExplain(known: Known, looked: Looked): string {
  const url = chooseUrl(known);
  if (url === undefined) throw noSandbox(looked);
  if (!URL.canParse(url.value)) throw noAddress(url);
  const { origin, pathname } = new URL(url.value);
  if (!/^\/*(v1\/*)?$/.test(pathname)) throw noAddress(url);
  return origin;
}

/** Loads the client only now: a command that fails before, or prints its help, does not pay for it. */
export async function connect(
  chosen: Chosen,
  renew: () => Promise<string>,
  { reason, fetch }: { readonly reason: string | undefined; readonly fetch: typeof globalThis.fetch },
): Promise<Connection> {
  const { createClient } = await import("@bursar/client");
  const { accountId } = chosen;
  return {
    client: client(),
    credential: renew,
    account: accountId === undefined ? {} : { accountId },
    requireAccount: () => accountId ?? explainAccount(),
  };

  function client(): Client {
    const retry = { maxRetries: 2, firstDelayMilliseconds: 100 };
    try {
      const { organization } = chosen;
      const said = {
        ...(organization === undefined ? {} : { organization }),
        ...(reason === undefined ? {} : { reason }),
      };
      return createClient({ url: chosen.url.value, key: chosen.key.value, retry, fetch, ...said });
    } catch (error) {
      if (error instanceof TypeError) throw usageFailure(error.message, originsOf(chosen));
      throw error;
    }
  }
}

function explainAccount(): never {
  throw usageFailure("Which account? Name it with --account <id>, or set BURSAR_ACCOUNT.");
}

export function originsOf({ url, key }: Chosen): string {
  return `The address came from ${url.from}, the key from ${key.from}.`;
}

function noAddress({ value, from }: { value: string; from: string }): Failure {
  return usageFailure(`${from} must look like http://127.0.0.1:3000, not ${JSON.stringify(value)}.`);
}

function noSandbox({ paths, repository }: Looked): Failure {
  return new Failure("unavailable", "unavailable", "No server is known, and no sandbox is running here.", [
    "Looked for --url, BURSAR_URL, and the file that a running sandbox writes:",
    ...paths.map((path) => `  ${path}`),
    `Start a sandbox: ${howToStart(repository)}`,
    "Or set BURSAR_URL and BURSAR_API_KEY.",
  ]);
}

function noKey(url: string, need: Need): Failure {
  const name = need === "admin" ? "BURSAR_ADMIN_KEY" : "BURSAR_API_KEY";
  const kind = need === "admin" ? "an admin key" : "an API key";
  return new Failure("notAllowed", "unauthenticated", `No key for ${url}: this command needs ${kind}.`, [
    `Set ${name}, or give it with --key.`,
  ]);
}

/** What to do when nothing answers. */
export function unreachableHints(
  chosen: Chosen,
  sandboxPath: string | undefined,
  repository: string,
): readonly string[] {
  if (chosen.url.from !== sandboxPath) return [originsOf(chosen)];
  return [
    `The sandbox that wrote ${sandboxPath} is not running any more.`,
    `Start it again: ${howToStart(repository, sandboxPath)}`,
  ];
}
