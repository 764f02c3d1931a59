import { z } from "zod";
import { ID_PATTERN } from "../ids.ts";
import { clientAction } from "./client-actions.ts";

/** The client's number of a message; the acknowledgement carries it. */
export const txid = z
  .int({ error: "must be a whole number, 0 or more, that is new for every message" })
  .min(0, "must be 0 or more")
  .max(Number.MAX_SAFE_INTEGER);

const topics = z
  .array(z.string().min(1).max(200), { error: "must be a list of topics" })
  .min(1, "must name a topic")
  .max(64, "must name at most 64 topics");

/** `clientSessionId` is made once by the client and kept over reconnects; whoever has the same credential and this id
 *  gets the session, so it must be hard to guess. `lastSeq`: the last message of the session that has arrived, by the
 *  numbers of this `life`. */
const identify = z.strictObject({
  type: z.literal("identify"),
  txid,
  clientSessionId: z
    .string({ error: "must be an id of 16 to 128 characters that is hard to guess" })
    .min(16, "must have at least 16 characters, and be hard to guess")
    .regex(ID_PATTERN, "must be letters, digits or . _ : @ / + - and begin with a letter or digit"),
  lastSeq: z.int().min(0).optional(),
  life: z.string().min(1).max(64).optional(),
});

/** May say what has arrived of the session, so that the server need not keep it. */
const ping = z.strictObject({ type: z.literal("ping"), txid, lastSeq: z.int().min(0).optional() });

export const clientMessage = z.discriminatedUnion(
  "type",
  [
    identify,
    ping,
    z.strictObject({ type: z.literal("subscribe"), txid, topics }),
    z.strictObject({ type: z.literal("unsubscribe"), txid, topics }),
    z.strictObject({ type: z.literal("action"), txid, data: clientAction }),
  ],
  { error: "must be identify, subscribe, unsubscribe, ping or action" },
);

export type ClientMessage = z.output<typeof clientMessage>;
