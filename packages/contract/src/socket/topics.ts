import { z } from "zod";
import { notice } from "../notices.ts";
import { entry } from "../operations/history.ts";
import { payment } from "../operations/payments.ts";
import { creditsText, instantText } from "../shapes.ts";

/** What an account's devices can be told of, as it happens. A push is the whole present state, never a difference: who
 *  misses one has missed nothing once the next is there, and on every subscription the state comes at once. */
export const TOPICS = ["balance", "holds", "entries", "notices", "payments"] as const;

export type Topic = (typeof TOPICS)[number];

export const balancePush = z.object({
  accountId: z.string(),
  /** Number of the account's last entry: of two pushes, the higher is the newer. */
  seq: z.int(),
  available: creditsText,
  held: creditsText,
  owed: creditsText,
  net: creditsText,
  frozen: z.boolean(),
  nextExpiry: z.object({ at: instantText, amount: creditsText }).nullable(),
});

/** The open holds, the newest first, at most 100 of them. */
export const holdsPush = z.object({
  accountId: z.string(),
  holds: z.array(
    z.object({
      id: z.string(),
      parentId: z.string().nullable(),
      amount: creditsText,
      reported: creditsText,
      feature: z.string().nullable(),
      createdAt: instantText,
      expiresAt: instantText.nullable(),
    }),
  ),
});

/** The last 20 entries, the newest first. */
export const entriesPush = z.object({ accountId: z.string(), entries: z.array(entry) });

/** How many are unread, and the last 20 notices, the newest first. */
export const noticesPush = z.object({ accountId: z.string(), unread: z.int(), notices: z.array(notice) });

/** The last 20 purchases and top-ups, the newest first, in whatever state each is. */
export const paymentsPush = z.object({ accountId: z.string(), payments: z.array(payment) });

export const PUSHES = {
  balance: balancePush,
  holds: holdsPush,
  entries: entriesPush,
  notices: noticesPush,
  payments: paymentsPush,
} as const satisfies Record<Topic, z.ZodType>;

export type PushOf<Name extends Topic> = z.infer<(typeof PUSHES)[Name]>;

/** `balance`, or in full `balance:<account id>`. null: there is no such topic. */
export function parseTopic(text: string): { topic: Topic; accountId: string | null } | null {
  const [name = "", ...rest] = text.split(":");
  const topic = TOPICS.find((each) => each === name);
  if (topic === undefined) return null;
  return { topic, accountId: rest.length === 0 ? null : rest.join(":") };
}
