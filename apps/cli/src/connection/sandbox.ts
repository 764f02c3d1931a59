import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Failure } from "../failure.ts";

/** What a running sandbox leaves for its own machine, readable by its own user only. */
export interface Sandbox {
  readonly path: string;
  readonly url: string;
  readonly adminKey: string | undefined;
  readonly apiKey: string | undefined;
  readonly accountId: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly stripeUrl: string | undefined;
  readonly stripeKey: string | undefined;
}

const FILE = "sandbox.json";
export const DATA_DIR = ".bursar";

/** The files that may be it, likeliest first: the data folder that the environment names and no other; else the one of
 *  this folder or of one above; else that of the repository this program is part of. */
export function sandboxPaths(environment: NodeJS.ProcessEnv, folder: string, repository: string): string[] {
  const named = environment["BURSAR_DATA_DIR"];
  if (named !== undefined && named !== "") return [resolve(folder, named, FILE)];
  const paths = [...upwards(resolve(folder)), repository].map((parent) => join(parent, DATA_DIR, FILE));
  return [...new Set(paths)];
}

function* upwards(folder: string): Generator<string> {
  yield folder;
  const parent = dirname(folder);
  if (parent !== folder) yield* upwards(parent);
}

/** null when there is none. Throws: a file that is there and cannot be used, saying why. */
export function findSandbox(paths: readonly string[]): Sandbox | null {
  const path = paths.find((candidate) => existsSync(candidate));
  return path === undefined ? null : readSandbox(path);
}

function readSandbox(path: string): Sandbox {
  const content = contentOf(path);
  const text = (name: string) => {
    const value = content[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const url = text("url");
  if (url === undefined) throw unusable(path, 'it has no "url"');
  return {
    path,
    url,
    adminKey: text("adminKey"),
    apiKey: text("apiKey"),
    accountId: text("accountId"),
    databaseUrl: text("databaseUrl"),
    stripeUrl: text("stripeUrl"),
    stripeKey: text("stripeKey"),
  };
}

function contentOf(path: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (isRecord(content)) return content;
  } catch (error) {
    throw unusable(path, error instanceof Error ? error.message : String(error));
  }
  throw unusable(path, "it is not a JSON object");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unusable(path: string, why: string): Failure {
  const hint = "Start the sandbox again with npm start, as the same user: it writes this file anew.";
  return new Failure("unavailable", "unavailable", `The sandbox's file ${path} cannot be used: ${why}`, [
    hint,
  ]);
}
