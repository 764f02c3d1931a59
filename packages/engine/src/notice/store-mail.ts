import type { AccountId } from "@bursar/contract/ids";
import type { Queryable } from "../mail/store.ts";

export interface NoticeToMail {
  readonly accountId: AccountId;
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly details: Readonly<Record<string, unknown>> | null;
}

/** Takes the oldest notices that are still to be mailed. They are taken for good when the caller's transaction commits;
 *  those that another process is taking are passed over. */
export async function takeNoticesToMail(queryable: Queryable, limit: number): Promise<NoticeToMail[]> {
  const { rows } = await queryable.query<NoticeToMail>(
    `with due as (
       select account_id, notice_id from notices where mail_due order by at limit $1 for update skip locked
     )
     update notices n set mail_due = false
     from due where n.account_id = due.account_id and n.notice_id = due.notice_id
     returning n.account_id as "accountId", n.notice_id as id, n.title, n.text, n.details`,
    [limit],
  );
  return rows;
}
