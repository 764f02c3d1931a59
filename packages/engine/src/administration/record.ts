import { newActionId } from "@bursar/contract/ids";
import type { Deps } from "../deps.ts";
import type { Administrator, Ending, Intent } from "./action.ts";
import { insertActions, insertEndings } from "./store.ts";

/** Does an administrator's work on record: the intents are durable before it begins, how they ended is written after it.
 *  Who dies in between, throws, or says null, leaves intents without an ending: then nobody knows, and the entries under the
 *  request's id tell. Without intents it is the work alone.
 *  Throws: what the work throws; database unreachable before the work, and then nothing was done. Decision: 0024. */
export async function onRecord<Outcome>(
  deps: Pick<Deps, "pool" | "clock" | "log">,
  who: Administrator,
  intents: readonly Intent[],
  work: () => Promise<Outcome>,
  endingsOf: (outcome: Outcome) => readonly (Ending | null)[],
): Promise<Outcome> {
  if (intents.length === 0) return work();
  const actions = intents.map((intent) => ({ ...intent, id: newActionId() }));
  await insertActions(deps.pool, who, actions, deps.clock.now());
  const outcome = await work();
  const endings = endingsOf(outcome).flatMap((ending, index) =>
    ending === null ? [] : [{ ...ending, id: actions[index]!.id }],
  );
  await insertEndings(deps.pool, endings, deps.clock.now()).catch((error: unknown) => {
    // It is done, and the caller must hear it.
    const { requestId } = who;
    deps.log.error({ err: error, requestId }, "how an administrator's action ended is not on record");
  });
  return outcome;
}
