import { z } from "zod";
import { DURATION_HINT, parseDuration } from "../duration.ts";
import { operation } from "../operation.ts";
import { instantText } from "../shapes.ts";

const duration = z
  .string({ error: `must be a duration ${DURATION_HINT}` })
  .transform((text, context) => {
    const parsed = parseDuration(text);
    if (parsed !== null) return parsed;
    context.addIssue({ code: "custom", message: `must be a duration ${DURATION_HINT}` });
    return z.NEVER;
  })
  .meta({ type: "string", examples: ["31d", "3mo"] });

const clockState = z.object({
  now: instantText.describe("The sandbox's time"),
  systemTime: instantText.describe("The machine's"),
  frozen: z.boolean(),
});

export const getClock = operation({
  name: "getClock",
  method: "get",
  path: "/sandbox/clock",
  access: "admin",
  summary: "The sandbox's time.",
  status: 200,
  answer: clockState,
  errors: [],
});

export const moveClock = operation({
  name: "moveClock",
  method: "post",
  path: "/sandbox/clock",
  access: "admin",
  summary:
    "Move the sandbox's time ahead, stop it or let it go on; answers when all that became due is done.",
  body: z
    .strictObject({
      advance: duration.optional(),
      freeze: z.boolean({ error: "must be true or false" }).optional(),
    })
    .superRefine((value, context) => {
      if ((value.advance === undefined) !== (value.freeze === undefined)) return;
      context.addIssue({
        code: "custom",
        path: ["advance"],
        message: "give exactly one of advance and freeze",
      });
    }),
  status: 200,
  answer: clockState.extend({
    settled: z
      .boolean()
      .describe("false where something that is due could not be done yet; the log says what"),
  }),
  errors: [],
});

const mailSummary = z.object({
  id: z.string(),
  receivedAt: instantText,
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
});

export const listMail = operation({
  name: "listMail",
  method: "get",
  path: "/sandbox/mail",
  access: "anyone",
  summary: "The mail that Bursar has sent, newest first. From another machine, with the admin key.",
  query: z.strictObject({ to: z.string().optional().describe("Only what went to this address") }),
  status: 200,
  answer: z.object({ mails: z.array(mailSummary) }),
  errors: [],
});

export const getMail = operation({
  name: "getMail",
  method: "get",
  path: "/sandbox/mail/{id}",
  access: "anyone",
  summary: "One mail with its text.",
  params: z.object({ id: z.string().min(1) }),
  status: 200,
  answer: mailSummary.extend({
    text: z.string(),
    html: z.string().nullable(),
    messageId: z.string().nullable(),
  }),
  errors: ["mail_unknown"],
});

export const clearMail = operation({
  name: "clearMail",
  method: "delete",
  path: "/sandbox/mail",
  access: "anyone",
  summary: "Empty the mailbox.",
  status: 200,
  answer: z.object({ mails: z.array(mailSummary) }),
  errors: [],
});
