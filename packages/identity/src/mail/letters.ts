import type { MailMessage } from "@bursar/engine/mail/mail";
import { shownToStrangers } from "@bursar/engine/mail/shown";

type Letter = Pick<MailMessage, "subject" | "text" | "html">;

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
