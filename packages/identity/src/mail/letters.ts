import type { AccountId } from "@bursar/contract/ids";
import type { MailMessage } from "@bursar/engine/mail/mail";
import { shownToStrangers } from "@bursar/engine/mail/shown";

export type Letter = Pick<MailMessage, "subject" | "text" | "html">;

/** Asks whoever reads this mailbox to confirm that it is theirs. */
export function verificationLetter(name: string, link: string, token: string): Letter {
  const why = "Please confirm that this e-mail address is yours";
  const otherwise = "If you did not sign up, do nothing: without the link the address stays unproved.";
  return letter("Confirm your e-mail address", name, why, { link, token }, otherwise);
}

/** Lets whoever reads this mailbox choose a new password. */
export function resetLetter(name: string, link: string, token: string): Letter {
  const why = "A new password was asked for. Within an hour you can choose it here";
  const otherwise = "If that was not you, do nothing: your password stays as it is.";
  return letter("Choose a new password", name, why, { link, token }, otherwise);
}

/** Tells somebody that they are deleted, and what that means. Without a name: there is none any more. */
export function farewellLetter(url: string, accountId: AccountId): Letter {
  const paragraphs = [
    `As you asked, you were deleted at ${url}: your name and this address, your ways to sign in, your chats and what you had been told.`,
    "Nothing is charged any more: auto top-up is off, a plan ends with what is paid for, and your saved payment methods are removed.",
    `What was bought and used stays in the books, under ${accountId}, which nobody else ever has.`,
    "If that was not you, tell whoever runs that server. This is the last mail, and your address goes with it.",
  ];
  const subject = "You were deleted, as you asked";
  const text = `Hello,\n\n${paragraphs.join("\n\n")}\n`;
  const html = ["Hello,", ...paragraphs].map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join("");
  return { subject, text, html };
}

/** Whoever signs up chooses the address and the name, so the mail may go to a stranger. */
function letter(
  subject: string,
  called: string,
  why: string,
  { link, token }: { link: string; token: string },
  otherwise: string,
): Letter {
  const name = shownToStrangers(called);
  const text = `Hello ${name},\n\n${why}:\n\n${link}\n\nFor programs, the token is:\n${token}\n\n${otherwise}\n`;
  const html =
    `<p>Hello ${escapeHtml(name)},</p><p>${why}:</p><p><a href="${escapeHtml(link)}">${escapeHtml(subject)}</a></p>` +
    `<p>For programs, the token is:<br><code>${escapeHtml(token)}</code></p><p>${otherwise}</p>`;
  return { subject, text, html };
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand in HTML, in a quoted attribute too. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
