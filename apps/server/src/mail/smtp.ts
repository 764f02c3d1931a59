import { digestOf } from "@bursar/engine/digest";
import { type Mail, type MailMessage, MailRefused } from "@bursar/engine/mail/mail";
import { createTransport } from "nodemailer";

export interface SmtpSettings {
  /** `smtp://user:password@host:587` or `smtps://…`; nodemailer's parameters may follow, such as `?requireTLS=true`. */
  readonly url: string;
  /** `bursar@example.com` or `Bursar <bursar@example.com>`. */
  readonly from: string;
}

const CONNECT_MILLISECONDS = 10_000;
const SILENCE_MILLISECONDS = 30_000;

/** Mail by SMTP, each over a connection of its own: a pool would go on trying what the outbox has put off already.
 *  `send` throws MailRefused where the server will never take the mail, and the connection's error otherwise. */
export function openSmtp({ url, from }: SmtpSettings): Mail {
  const transport = createTransport({
    url,
    connectionTimeout: CONNECT_MILLISECONDS,
    greetingTimeout: CONNECT_MILLISECONDS,
    socketTimeout: SILENCE_MILLISECONDS,
    // A mail is what its sender wrote; nothing is read from this machine or fetched for it.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const sender = addressIn(from);
  return {
    send: async ({ id, to, subject, text, html }) => {
      const envelope = { from: sender, to: [to] };
      const content = { subject, text, ...(html === undefined ? {} : { html }) };
      const messageId = messageIdOf(id, sender);
      try {
        await transport.sendMail({ envelope, from, to: { name: "", address: to }, messageId, ...content });
      } catch (error) {
        throw isRefusal(error) ? new MailRefused(error.message, { cause: error }) : error;
      }
    },
  };
}

/** Of `Name <address>`, the address. */
export function addressIn(from: string): string {
  return /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from;
}

/** The same for every attempt, so that a mailbox can tell a repetition. */
export function messageIdOf(id: MailMessage["id"], sender: string): string {
  const name = digestOf(id);
  return `<${name}@${sender.slice(sender.lastIndexOf("@") + 1)}>`;
}

/** A recipient or a text that is refused for good. Wrong credentials or a wrong sender may be mended. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error) || !("code" in error) || !("responseCode" in error)) return false;
  const isAboutRecipient = error.code === "EENVELOPE" && "command" in error && error.command === "RCPT TO";
  const isAboutTheMail = isAboutRecipient || error.code === "EMESSAGE";
  return isAboutTheMail && typeof error.responseCode === "number" && error.responseCode >= 500;
}
