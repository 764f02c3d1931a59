import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { Failure } from "../failure.ts";

/** A person who has signed in at one server, with what lets them go on. */
export interface SignedIn {
  /** The server's origin. */
  readonly url: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** By this machine's clock; the server's may be moved. */
  readonly staleAtMilliseconds: number;
  readonly name: string;
  readonly role: string;
  readonly accountId: string;
}

/** Who has signed in from this machine, in a file that only its user can read. */
export interface SignIns {
  readonly path: string;
  all(): readonly SignedIn[];
  /** Throws: none can be kept here. To be known before a person goes all the way to sign in. */
  prepare(): void;
  /** Replaces whoever was signed in at that server. */
  keep(signedIn: SignedIn): void;
  /** With the last one goes the file. */
  forget(url: string): void;
}

export function openSignIns(environment: NodeJS.ProcessEnv): SignIns {
  const base = environment["XDG_CONFIG_HOME"] || join(environment["HOME"] || homedir(), ".config");
  const path = join(base, "bursar", "sign-ins.json");
  const others = (url: string) => read(path).filter((each) => each.url !== url);
  return {
    path,
    all: () => read(path),
    prepare: () => prepare(path),
    keep: (signedIn) => write(path, [...others(signedIn.url), signedIn]),
    forget: (url) => {
      const left = others(url);
      if (left.length === 0) rmSync(path, { force: true });
      else write(path, left);
    },
  };
}

function read(path: string): SignedIn[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unusable(path, error);
  }
  try {
    const content: unknown = JSON.parse(text);
    if (Array.isArray(content) && content.every(isSignIn)) return content;
  } catch (error) {
    throw unusable(path, error);
  }
  throw unusable(path, "it is no list of them");
}

function isSignIn(value: unknown): value is SignedIn {
  const { url, accessToken, refreshToken } = Object(value) as Partial<Record<keyof SignedIn, unknown>>;
  return [url, accessToken, refreshToken].every((each) => typeof each === "string");
}

function unusable(path: string, why: unknown): Failure {
  const reason = why instanceof Error ? why.message : String(why);
  return new Failure("usage", "invalid_request", `The sign-ins in ${path} cannot be used: ${reason}`, [
    "Delete the file, and sign in again with: bursar login",
  ]);
}

function prepare(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw unkept(path, error);
  }
}

/** Whole or not at all. */
function write(path: string, content: readonly SignedIn[]): void {
  prepare(path);
  const next = `${path}.${process.pid}.new`;
  writeFileSync(next, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, path);
}

export function unkept(path: string, why: unknown): Failure {
  const reason = why instanceof Error ? why.message : String(why);
  return new Failure("usage", "invalid_request", `No sign-in can be kept in ${path}: ${reason}`, [
    "Another folder can be named with XDG_CONFIG_HOME.",
  ]);
}
