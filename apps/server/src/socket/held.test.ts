import type { AccountId } from "@bursar/contract/ids";
import type { ClaimOutcome } from "@bursar/engine/prompt/hands";
import { expect, it } from "vitest";
import { claimInTime } from "./held.ts";

const REQUEST = { accountId: "acct_x" as AccountId, requestId: "req_x", askedBy: "key:x", asked: "{}" };
const ENDED: ClaimOutcome = { kind: "ended", ending: "{}" };

/** Answers with each of these in turn. */
function hands(...answers: (ClaimOutcome | Error)[]) {
  const claim = async () => {
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { claim };
}

const away = () => new Error("Connection terminated unexpectedly");

it("a database that is away for a moment does not end a prompt, and neither does a process that still has it", async () => {
  const { signal } = new AbortController();
  expect(await claimInTime(hands(away(), { kind: "running" }, away(), ENDED), REQUEST, signal)).toBe(ENDED);
});

it("what is wrong stays wrong", async () => {
  const { signal } = new AbortController();
  const wrong = new Error("column prompts.x does not exist");
  await expect(claimInTime(hands(wrong, ENDED), REQUEST, signal)).rejects.toThrow(wrong);
});
