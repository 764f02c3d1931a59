import type { Sandbox } from "./sandbox.ts";

/** Whose key a command needs: an account's or for want of it an admin's; only an account's own; an admin's. */
export type Need = "account" | "own" | "admin";

export interface Flags {
  readonly url?: string;
  readonly key?: string;
  readonly account?: string;
}

export interface Known {
  readonly flags: Flags;
  readonly environment: NodeJS.ProcessEnv;
  readonly sandbox: Sandbox | null;
}

/** A value, and where it came from, for messages. */
interface Sourced {
  readonly value: string;
  readonly from: string;
}

export type Choice =
  | {
      readonly kind: "chosen";
      readonly url: Sourced;
      readonly key: Sourced;
      /** Named by the caller, or needed because an admin key has no account of its own. */
      readonly accountId: string | undefined;
    }
  | { readonly kind: "no_url" }
  | { readonly kind: "no_key"; readonly url: Sourced };

/** Where to connect, with which key, for which account. Flags win over the environment, and that over the sandbox's
 *  file. The sandbox's keys never leave for another server. Outcomes, first match wins: no_url, no_key, chosen. */
export function choose(known: Known, need: Need): Choice {
  const { flags, environment, sandbox } = known;
  const url =
    sourced(flags.url, "--url") ??
    fromEnvironment(environment, "BURSAR_URL") ??
    sourced(sandbox?.url, sandbox?.path);
  if (url === undefined) return { kind: "no_url" };
  const local = sandbox !== null && sameServer(sandbox.url, url.value) ? sandbox : null;
  const account = flags.account ?? environment["BURSAR_ACCOUNT"];
  const key = chooseKey({ ...known, sandbox: local }, need, account !== undefined);
  if (key === undefined) return { kind: "no_key", url };
  return { kind: "chosen", url, key, accountId: account ?? (key.isAdmin ? local?.accountId : undefined) };
}

interface Key extends Sourced {
  readonly isAdmin: boolean;
}

/** An account's call works with both kinds of key; with an account named, an admin's surely reaches it. Which kind a
 *  key from `--key` is, only the server knows. */
function chooseKey(known: Known, need: Need, isAccountNamed: boolean): Key | undefined {
  const { flags, environment, sandbox } = known;
  const given = sourced(flags.key, "--key");
  if (given !== undefined) return { ...given, isAdmin: need === "admin" };
  const admin = keyOf(fromEnvironment(environment, "BURSAR_ADMIN_KEY"), true);
  const own = keyOf(fromEnvironment(environment, "BURSAR_API_KEY"), false);
  const sandboxAdmin = keyOf(sourced(sandbox?.adminKey, sandbox?.path), true);
  const sandboxOwn = keyOf(sourced(sandbox?.apiKey, sandbox?.path), false);
  if (need === "admin") return admin ?? sandboxAdmin ?? own;
  if (need === "own") return own ?? sandboxOwn ?? admin ?? sandboxAdmin;
  if (isAccountNamed) return admin ?? own ?? sandboxAdmin ?? sandboxOwn;
  return own ?? admin ?? sandboxOwn ?? sandboxAdmin;
}

function keyOf(from: Sourced | undefined, isAdmin: boolean): Key | undefined {
  return from === undefined ? undefined : { ...from, isAdmin };
}

function fromEnvironment(environment: NodeJS.ProcessEnv, name: string): Sourced | undefined {
  return sourced(environment[name]?.trim(), name);
}

function sourced(value: string | undefined, from: string | undefined): Sourced | undefined {
  return value === undefined || value === "" || from === undefined ? undefined : { value, from };
}

function sameServer(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
