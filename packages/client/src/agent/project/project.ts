import { realpathSync, statSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { type ToolAnswer, toolFailure } from "@bursar/contract/agent/tool";
import { isSecret } from "./secrets.ts";

export type Refusal = Extract<ToolAnswer, { ok: false }>;

/** A place in the project, with every link followed. */
export interface Place {
  readonly kind: "place";
  /** Absolute; the last steps may not exist yet. */
  readonly absolute: string;
  /** From the root, with forward slashes, as the agent and the user know it. */
  readonly path: string;
  readonly isSecret: boolean;
}

export interface Project {
  /** Absolute, without links. */
  readonly root: string;
  /** Outcomes, first match wins: a refusal (`outside_project`), the place. */
  locate(path: string): Promise<Place | { readonly kind: "refused"; readonly refusal: Refusal }>;
}

/** A folder that an agent works in. Nothing outside it can be named: not by `..`, not by an absolute path, and not by
 *  a link in it. Throws: the folder does not exist, or is none. */
export function openProject(folder: string): Project {
  const root = realpathSync(folder);
  if (!statSync(root).isDirectory()) throw new Error(`${folder} is not a folder`);
  return { root, locate: (path) => locate(root, path) };
}

async function locate(root: string, path: string): ReturnType<Project["locate"]> {
  const named = resolve(root, path);
  if (!isWithin(root, named)) return outside(path);
  const absolute = await realPlace(named);
  if (absolute === null || !isWithin(root, absolute)) return outside(path);
  const shown = slashed(relative(root, named)) || ".";
  const real = slashed(relative(root, absolute));
  return { kind: "place", absolute, path: shown, isSecret: isSecret(shown) || isSecret(real) };
}

/** The real path of the nearest parent that exists, and below it what does not. null: a circle of links. */
async function realPlace(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    if (code === "ENOENT" || code === "ENOTDIR") {
      const real = parent === path ? path : await realPlace(parent);
      return real === null ? null : join(real, path.slice(parent.length));
    }
    return null;
  }
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function slashed(path: string): string {
  return path.replaceAll(sep, "/");
}

function outside(path: string) {
  const message = `${path} is outside the project, where nothing can be read or written`;
  return { kind: "refused", refusal: toolFailure("outside_project", message) } as const;
}
