import { type AccountId, ID_PATTERN } from "@bursar/contract/ids";
import type { NoticeKind } from "@bursar/contract/notices";
import type { Clock } from "../clock/clock.ts";
import type { Queryable } from "../mail/store.ts";
import { insertNotice } from "./store.ts";

export interface NoticeToTell {
  /** Made from what it is about (`topup_failed:attempt_…`): the account is told once per id. */
  readonly id: string;
  readonly accountId: AccountId;
  readonly kind: NoticeKind;
  /** One line; also the subject of the mail. */
  readonly title: string;
  readonly text: string;
  /** The same facts for programs; amounts as strings of credits. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Also to the mailboxes of the account's people; default: no. */
  readonly mail?: boolean | undefined;
}

const LONGEST_TITLE = 200;
const LONGEST_TEXT = 4000;
const LONGEST_DETAILS = 4096;

/** Tells the people of an account something, in the caller's transaction if it has one: told if that commits, and once
 *  per account and id, whatever is repeated. True when it is new. The mail is written by the background, soon after.
 *  Throws TypeError, naming the field, for what could never be shown; database unreachable. */
export function notify(
  queryable: Queryable,
  clock: Pick<Clock, "now">,
  told: NoticeToTell,
): Promise<boolean> {
  check(told);
  const { mail = false, details = null, ...facts } = told;
  return insertNotice(queryable, { ...facts, details, at: clock.now(), isMailed: mail });
}

function check({ id, title, text, details }: NoticeToTell): void {
  if (!ID_PATTERN.test(id))
    throw new TypeError(`id: must be 1 to 128 letters, digits or . _ : @ / + -, not ${id}`);
  if (title === "" || title.length > LONGEST_TITLE || /\p{Cc}/u.test(title))
    throw new TypeError(`title: must be one line of 1 to ${LONGEST_TITLE} characters`);
  if (text === "" || text.length > LONGEST_TEXT || text.includes("\u0000"))
    throw new TypeError(`text: must be 1 to ${LONGEST_TEXT} characters without NUL`);
  if (details !== undefined && JSON.stringify(details).length > LONGEST_DETAILS)
    throw new TypeError(`details: must be at most ${LONGEST_DETAILS} characters as JSON`);
}
