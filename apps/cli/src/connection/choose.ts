import type { SignedIn } from "../sign-in/store.ts";
import type { Sandbox } from "./sandbox.ts";

/** Whose key a command needs: an account's or for want of it an admin's; only an account's own; a person's; an admin's. */
export type Need = "account" | "own" | "person" | "admin";

export interface Flags {
  readonly url?: string;
  readonly key?: string;
  readonly account?: string;
  readonly organization?: string;
}

export interface Known {
  readonly flags: Flags;
  readonly environment: NodeJS.ProcessEnv;
  readonly sandbox: Sandbox | null;
  /** Who has signed in from this machine, and where. */
  readonly signIns?: readonly SignedIn[];
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
      /** Whose credits pay, where it is named. */
      readonly organization: string | undefined;
      /** Whose sign-in the key is from, where it is from one. */
      readonly signedIn: SignedIn | undefined;
    }
  | { readonly kind: "no_url" }
  | { readonly kind: "no_key"; readonly url: Sourced };

/** Where to connect, with which key, for which account. Flags win over the environment, that over a sign-in, and
 *  that over the sandbox's file. The sandbox's keys never leave for another server. Outcomes, first match wins: no_url, no_key, chosen. */
export function choose(known: Known, need: Need): Choice {
  const { flags, environment, sandbox, signIns = [] } = known;
  const url = chooseUrl(known);
  if (url === undefined) return { kind: "no_url" };
  const local = sandbox !== null && sameServer(sandbox.url, url.value) ? sandbox : null;
  const account = flags.account ?? environment["BURSAR_ACCOUNT"];
  const person = signIns.find((each) => sameServer(each.url, url.value));
  const organization = fromEnvironment({ ...environment, ...named(flags) }, ORGANIZATION)?.value;
  const whose = organization === undefined || need !== "account" ? need : "person";
  const key = chooseKey({ ...known, sandbox: local }, whose, account !== undefined, person);
  if (key === undefined) return { kind: "no_key", url };
  const signedIn = key.from === SIGN_IN ? person : undefined;
  const usual = signedIn?.accountId ?? (key.isAdmin ? local?.accountId : undefined);
  const accountId = account ?? (organization === undefined ? usual : paying(organization, signedIn));
  return { kind: "chosen", url, key, signedIn, accountId, organization };
}

/** Members are known by the organization's name; a key needs that of its account. */
function paying(organization: string, signedIn: SignedIn | undefined): string | undefined {
  return signedIn === undefined ? `acct_${organization}` : undefined;
}

const ORGANIZATION = "BURSAR_ORGANIZATION";

function named({ organization }: Flags): NodeJS.ProcessEnv {
  return organization === undefined ? {} : { [ORGANIZATION]: organization };
}

/** The address alone, for commands that need no key. */
export function chooseUrl({ flags, environment, sandbox }: Known): Sourced | undefined {
  return (
    sourced(flags.url, "--url") ??
    fromEnvironment(environment, "BURSAR_URL") ??
    sourced(sandbox?.url, sandbox?.path)
  );
}

const SIGN_IN = "bursar login";

interface Key extends Sourced {
  readonly isAdmin: boolean;
}

/** An account's call works with both kinds of key; with an account named, an admin's surely reaches it. Which kind a
 *  key from `--key` is, only the server knows. */
function chooseKey(
  known: Known,
  need: Need,
  isAccountNamed: boolean,
  person: SignedIn | undefined,
): Key | undefined {
  const { flags, environment, sandbox } = known;
  const given = sourced(flags.key, "--key");
  if (given !== undefined) return { ...given, isAdmin: need === "admin" };
  const admin = keyOf(fromEnvironment(environment, "BURSAR_ADMIN_KEY"), true);
  const own = keyOf(fromEnvironment(environment, "BURSAR_API_KEY"), false);
  const signedIn = keyOf(sourced(person?.accessToken, SIGN_IN), person?.role === "admin");
  const signedInAdmin = signedIn?.isAdmin === true ? signedIn : undefined;
  const sandboxAdmin = keyOf(sourced(sandbox?.adminKey, sandbox?.path), true);
  const sandboxOwn = keyOf(sourced(sandbox?.apiKey, sandbox?.path), false);
  if (need === "admin") return admin ?? signedInAdmin ?? sandboxAdmin ?? own ?? signedIn;
  if (need === "person") return signedIn ?? admin ?? sandboxAdmin ?? own;
  if (need === "own") return own ?? signedIn ?? sandboxOwn ?? admin ?? sandboxAdmin;
  if (isAccountNamed) return admin ?? own ?? signedInAdmin ?? sandboxAdmin ?? signedIn ?? sandboxOwn;
  return own ?? admin ?? signedIn ?? sandboxOwn ?? sandboxAdmin;
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
