import { createHash } from "node:crypto";
import type { AccountId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { enqueueMail } from "../mail/outbox.ts";
import type { Queryable } from "../mail/store.ts";
import { type NoticeToMail, takeNoticesToMail } from "./store-mail.ts";

/** Somebody who is told about an account by mail. */
export interface Recipient {
  readonly email: string;
}

/** The engine's question to whoever knows people: whose account is this? Nobody's: an empty list. Asked inside a
 *  transaction, so it reads from the given connection and nowhere else. */
export type RecipientsOf = (queryable: Queryable, accountId: AccountId) => Promise<readonly Recipient[]>;

const BATCH = 50;

/** Hands the notices that are to be mailed to the outbox: one mail a person and notice, in the transaction that ends
 *  the notice's turn, so that a crash loses none and repeats none. `url`: this server's public address, for links. Returns how many notices it has ended.
 *  Throws: database unreachable. */
export function mailNotices(
  deps: Pick<Deps, "pool" | "clock">,
  recipientsOf: RecipientsOf,
  url: () => string,
): Promise<number> {
  return withTransaction(deps.pool, async (client) => {
    const notices = await takeNoticesToMail(client, BATCH);
    for (const notice of notices) {
      const recipients = await recipientsOf(client, notice.accountId);
      for (const { email } of recipients) await enqueueMail(deps, client, letterFor(notice, email, url()));
    }
    return notices.length;
  });
}

/** Where a notice names a page of ours (`details.path`), the mail links to it. */
function letterFor({ accountId, id, title, text, details }: NoticeToMail, email: string, url: string) {
  const path = details?.["path"];
  const link = typeof path === "string" ? `\n\n${url}${path}` : "";
  const name = createHash("sha256").update(`${accountId}\n${id}\n${email}`).digest("hex");
  return {
    id: `notice:${name}`,
    to: email,
    subject: title,
    text: `${text}${link}\n\nAccount: ${accountId}\n`,
  };
}
