/** A mail on its way to one person. */
export interface MailMessage {
  /** Made by the sender from what the mail is about (`verify:user_…:1`): the same id is sent once. */
  readonly id: string;
  /** One address, without a name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** To somebody who is deleted: nothing of it is kept once it has ended, and no deletion of theirs takes it along. */
  readonly isFarewell?: boolean;
}

/** The engine's way to people's mailboxes. Two things are one: the outbox, which promises and keeps, and the mail
 *  server behind it. */
export interface Mail {
  /** Sends under the message's id, once as far as SMTP allows: sending the same id again does nothing more.
   *  Throws: the mail could not be handed on; nothing was promised, and the same id may be tried again. */
  send(message: MailMessage): Promise<void>;
}

/** The mail server will never take this mail: the address does not exist, say. Trying again is of no use. */
export class MailRefused extends Error {
  override readonly name = "MailRefused";
}
