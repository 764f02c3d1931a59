import type { FileChangeHook } from "@bursar/contract/agent/hooks";

/** Hooks, and the changed files that they may be asked for, from the project's root. */
export interface Matching {
  readonly hooks: readonly FileChangeHook[];
  readonly paths: readonly string[];
}

export interface Matched {
  readonly kind: "matched";
  readonly hooks: readonly FileChangeHook[];
}
