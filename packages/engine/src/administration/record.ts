import type { AccountId } from "@bursar/contract/ids";
import { newActionId } from "@bursar/contract/ids";
import type { Deps } from "../deps.ts";
import { insertActions, insertEndings } from "./store.ts";

/** Who does something, and in which request. */
export interface Administrator {
  /** As entries name them: `admin:<key>` or `user:<person>`. */
  readonly by: string;
  /** A person's e-mail; a key's name is looked up. */
  readonly name: string | null;
  readonly keyId: string | null;
  readonly requestId: string;
}

/** What is about to be done. */
export interface Intent {
  readonly operation: string;
  /** null: none, or the request does not say which. */
  readonly accountId: AccountId | null;
  readonly target: string | null;
  readonly reason: string | null;
  /** What was asked, without anything secret: it is kept for good. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How it ended. */
export interface Ending {
  /** done, repeated, or why not: an error's code. */
  readonly outcome: string;
  /** Whom it was about, where the intent does not say it. */
  readonly accountId?: AccountId | undefined;
  readonly result?: string | undefined;
}

/** Does an administrator's work on record: the intents are durable before it begins, how they ended is written after it.
 *  Who dies in between, or throws, leaves intents without an ending: then nobody knows, and the entries under the
 *  request's id tell. Without intents it is the work alone.
 *  Throws: what the work throws; database unreachable before the work, and then nothing was done. Decision: 0024. */
export async function onRecord<Outcome>(
  deps: Pick<Deps, "pool" | "clock" | "log">,
  who: Administrator,
  intents: readonly Intent[],
  work: () => Promise<Outcome>,
  endingsOf: (outcome: Outcome) => readonly Ending[],
): Promise<Outcome> {
  if (intents.length === 0) return work();
  const actions = intents.map((intent) => ({ ...intent, id: newActionId() }));
  await insertActions(deps.pool, who, actions, deps.clock.now());
  const outcome = await work();
  const endings = endingsOf(outcome).map((ending, index) => ({ ...ending, id: actions[index]!.id }));
  await insertEndings(deps.pool, endings, deps.clock.now()).catch((error: unknown) => {
    // It is done, and the caller must hear it.
    const { requestId } = who;
    deps.log.error({ err: error, requestId }, "how an administrator's action ended is not on record");
  });
  return outcome;
}
