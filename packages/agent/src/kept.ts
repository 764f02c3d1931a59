import { toolAnswer } from "@bursar/contract/agent/tool";
import { formatCredits, parseCredits } from "@bursar/contract/money";
import { z } from "zod";
import type { Charge, Denial } from "./bill/billing.ts";
import type { Outcome, Spoken } from "./spoken.ts";

/** A model call, as it is kept. */
const keptCall = z.object({
  text: z.string(),
  calls: z.array(z.object({ callId: z.string(), toolName: z.string(), input: z.unknown() })),
  outcome: z.union([
    z.object({ kind: z.literal("finished"), isCut: z.boolean() }),
    z.object({ kind: z.literal("stopped") }),
    z.object({ kind: z.literal("broken"), message: z.string() }),
    z.object({ kind: z.literal("unpaid"), denial: z.custom<Denial>() }),
  ]),
  isShort: z.boolean(),
  callId: z.string(),
  charge: z.object({
    cost: z.string(),
    remaining: z.string().nullable(),
    inputTokens: z.int(),
    outputTokens: z.int(),
  }),
});

export function keepable({
  text,
  calls,
  outcome,
  isShort,
  charge,
  callId,
}: Spoken): z.input<typeof keptCall> {
  const { cost, remaining, inputTokens, outputTokens } = charge;
  return {
    ...{ text, outcome, isShort, callId },
    calls: calls.map(({ callId, toolName, input }) => ({ callId, toolName, input })),
    charge: {
      cost: formatCredits(cost),
      remaining: remaining === null ? null : formatCredits(remaining),
      ...{ inputTokens, outputTokens },
    },
  };
}

/** Throws: it was kept by a version of this program that kept it otherwise. */
export function spokenFrom(kept: unknown): Spoken {
  const { text, calls, outcome, isShort, charge, callId } = keptCall.parse(kept);
  const paid: Charge = {
    ...charge,
    cost: parseCredits(charge.cost)!,
    remaining: charge.remaining === null ? null : parseCredits(charge.remaining),
  };
  return {
    ...{ kind: "spoken", text, isShort, callId, charge: paid },
    outcome: outcome satisfies Outcome,
    calls: calls.map(({ callId, toolName, input }) => ({ callId, toolName, input })),
  };
}

/** Whether a step of this name is a model call: `a1.3`, and not a tool of it. */
export function isModelCall(name: string): boolean {
  return /^a[0-9-]+\.[0-9]+$/.test(name);
}

/** What a kept model call has cost, and as which call it was billed. null: it was kept otherwise by another version. */
export function billOfKept(kept: unknown): { readonly callId: string; readonly cost: bigint } | null {
  const read = keptCall.safeParse(kept);
  return read.success ? { callId: read.data.callId, cost: parseCredits(read.data.charge.cost)! } : null;
}

/** A tool's answer, as it is kept: as it crosses the wire. Throws as above. */
export const answerFrom = (kept: unknown) => toolAnswer.parse(kept);
