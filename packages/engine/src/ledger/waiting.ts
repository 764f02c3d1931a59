import { type Answer, type Attempted, CommandFailed, type Plan } from "./attempt.ts";
import type { Outcome } from "./command.ts";

/** A command that somebody waits for. */
export interface Waiting extends Attempted {
  readonly deadline: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  /** Already answered with LedgerUnavailable: not to be started any more. */
  abandoned: boolean;
}

/** How a plan's write ended. */
export type Written =
  | { readonly kind: "committed" }
  | { readonly kind: "stale" }
  | { readonly kind: "failed"; readonly error: unknown };

/** A plan on its way to the database. */
export interface Sent {
  readonly plan: Plan<Waiting>;
  /** Never rejects: nobody may be listening yet. */
  readonly written: Promise<Written>;
}

export function settled(writing: Promise<"committed" | "stale">): Promise<Written> {
  return writing.then(
    (kind) => ({ kind }),
    (error: unknown) => ({ kind: "failed", error }),
  );
}

export function waitingOf(plan: Plan<Waiting>): Waiting[] {
  return [...plan.done.map(({ waiting }) => waiting), ...plan.left];
}

export function respond(waiting: Waiting, outcome: Answer): void {
  if (outcome instanceof CommandFailed) {
    waiting.reject(outcome);
    return;
  }
  const isOwnDoing = outcome.kind === "duplicate" && waiting.attempted;
  waiting.resolve(isOwnDoing ? { ...outcome, kind: "done" } : outcome);
}
