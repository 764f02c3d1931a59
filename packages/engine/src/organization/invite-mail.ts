import { formatInstant, type Instant } from "@bursar/contract/instant";
import { countWithinHour, type Limited } from "../code/tries.ts";
import { digestOf } from "../digest.ts";
import { shownToStrangers } from "../mail/shown.ts";
import type { Queryable } from "../mail/store.ts";
import type { Invite } from "./decide.ts";
import type { OrganizationRecord } from "./store.ts";
import type { Actor } from "./turn.ts";

/* An invite is a mail to whoever its sender likes, with a name in it that they chose. */

/** Invites of one person, and to one mailbox, within an hour, whatever organizations they are for. */
export const INVITES_A_PERSON = 50;
export const INVITES_A_MAILBOX = 5;

export interface InviteLimited extends Limited {
  readonly of: "person" | "mailbox";
}

/** Counts an invite, in the transaction that makes it. Administrators may send any number, but not to one mailbox.
 *  null: it may go. */
export async function countInvite(
  client: Queryable,
  now: Instant,
  { actor, email }: { readonly actor: Actor; readonly email: string },
): Promise<InviteLimited | null> {
  const person = { of: "person", scope: `invites-of:${actor.by}`, limit: INVITES_A_PERSON } as const;
  const scope = `invites-to:${digestOf(mailboxOf(email))}`;
  const mailbox = { of: "mailbox", scope, limit: INVITES_A_MAILBOX } as const;
  const limited = await countWithinHour(client, now, actor.isAdmin ? [mailbox] : [person, mailbox]);
  if (limited === null) return null;
  const { by, ...facts } = limited;
  return { ...facts, of: by.of };
}

/** Without the tag, by which one mailbox has any number of addresses. */
function mailboxOf(email: string): string {
  return email.toLowerCase().replace(/(?<=.)\+.*(?=@)/, "");
}

/** What the mail says. */
export function letter(organization: OrganizationRecord, invite: Invite, link: string, token: string) {
  const name = shownToStrangers(organization.name) || "an organization";
  const until = formatInstant(invite.expiresAt).slice(0, 16).replace("T", " ");
  const text =
    `You are invited to work on the credits of ${name}, as ${invite.role === "admin" ? "an admin" : "a member"}.\n\n` +
    `Join here, signed in as ${invite.email}:\n\n${link}\n\nOr on the command line:\nbursar org accept ${token}\n\n` +
    `The link is good once, until ${until} UTC. If you expected no invite, do nothing.\n`;
  return { subject: `Join ${name}`, text };
}
