import type { Deps } from "../deps.ts";

export type PromptDeps = Pick<Deps, "pool" | "clock" | "log">;

/** A prompt that nobody runs may be gone on with for so long; what it holds expires then, too. */
export const RESUMABLE_SECONDS = 900;

/** A process that has not renewed its hold on a prompt for so long is taken for dead. By the database's own clock. */
export const LEASE_SECONDS = 6;

export const RENEW_MILLISECONDS = 2000;

/** Who wants a prompt says so several times a second. Whoever has not for so long has gone away. */
export const WANTED_SECONDS = 5;
