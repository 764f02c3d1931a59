import { z } from "zod";
import { instantText } from "./shapes.ts";

/** What people are told about their account. A new kind is added here and nowhere else. */
export const NOTICE_KINDS = [
  "credit_warning",
  "debt_incurred",
  "topup_success",
  "topup_failed",
  "topup_action_needed",
  "topup_disabled",
  "purchase_success",
  "payment_failed",
  "refund",
  "dispute_opened",
  "dispute_closed",
  "quota_reset",
  "expiry_reminder",
  "subscription_changed",
  "subscription_past_due",
  "referral_reward",
  "organization_alert",
  "organization_request",
  "goal_reminder",
  "system_message",
] as const;

export type NoticeKind = (typeof NOTICE_KINDS)[number];

export const notice = z.object({
  id: z.string(),
  kind: z.enum(NOTICE_KINDS),
  title: z.string().describe("One line"),
  text: z.string(),
  details: z.record(z.string(), z.json()).nullable().describe("The same for programs, by kind"),
  at: instantText,
  readAt: instantText.nullable(),
});

export type Notice = z.output<typeof notice>;

/** How an open connection hears of a notice. */
export interface NoticeEvent {
  readonly type: "notice";
  readonly accountId: string;
  readonly notice: Notice;
}

export function noticeEvent(accountId: string, told: Notice): NoticeEvent {
  return { type: "notice", accountId, notice: told };
}
