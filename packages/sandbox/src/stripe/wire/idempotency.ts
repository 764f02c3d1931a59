import { createHash } from "node:crypto";
import { Refusal } from "../refusal.ts";
import type { World } from "../world.ts";
import type { SavedAnswer } from "./saved-answer.ts";

const DAY_MILLISECONDS = 86_400_000;
const LONGEST_KEY = 255;

export interface Ask {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** The answer to replay, or null for a request that is new.
 *  Throws a refusal: the key was used with other parameters, or belongs to a request that is still under way. */
export function savedAnswer(world: World, underWay: ReadonlySet<string>, ask: Ask): SavedAnswer | null {
  const { key, method, path } = ask;
  if (key.length > LONGEST_KEY) {
    throw refuse(400, `Idempotency keys must be at most ${LONGEST_KEY} characters long.`);
  }
  if (underWay.has(key)) {
    throw refuse(
      409,
      `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
      "idempotency_key_in_use",
    );
  }
  forgetOld(world);
  const saved = world.state.savedAnswers.get(key);
  if (saved === undefined) return null;
  if (saved.fingerprint === fingerprintOf(ask)) return saved;
  throw refuse(
    400,
    `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request. (${method} ${path})`,
  );
}

export function saveAnswer(
  world: World,
  ask: Ask,
  answer: Pick<SavedAnswer, "status" | "text" | "requestId">,
): void {
  const saved = { ...answer, fingerprint: fingerprintOf(ask), at: world.now() };
  world.state.savedAnswers.set(ask.key, saved);
}

function fingerprintOf({ method, path, body }: Ask): string {
  const sorted = new URLSearchParams(body);
  sorted.sort();
  return createHash("sha256").update(`${method} ${path}\n${sorted.toString()}`).digest("base64");
}

/** Keys are kept in the order of their use. */
function forgetOld({ state, now }: World): void {
  const oldest = now() - DAY_MILLISECONDS;
  for (const [key, { at }] of state.savedAnswers) {
    if (at >= oldest) return;
    state.savedAnswers.delete(key);
  }
}

function refuse(status: number, message: string, code?: string): Refusal {
  return new Refusal(status, { type: "idempotency_error", message, ...(code !== undefined && { code }) });
}
