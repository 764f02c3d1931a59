import type { Deps } from "../deps.ts";
import type { Mail, MailMessage } from "./mail.ts";
import { insertMail, type Queryable } from "./store.ts";

const ADDRESS = /^[^\s@<>()[\],;:"\\\p{Cc}]+@[^\s@<>()[\],;:"\\\p{Cc}]+$/u;
const LONGEST_ADDRESS = 254;
const LONGEST_ID = 200;

/** Mail that cannot get lost: `send` resolves when the mail is stored, and the background sends it, again and again for
 *  three days if it must. An id is remembered for 30 days. Nothing here waits for a mail server.
 *  Throws: a message that is none (see `enqueueMail`); database unreachable. */
export function openOutbox(deps: Pick<Deps, "pool" | "clock">): Mail {
  return { send: (message) => enqueueMail(deps, deps.pool, message) };
}

/** The same inside the caller's transaction: the mail goes if that commits.
 *  Throws TypeError, naming the field, for what can never be sent: an empty or endless id, `to` that is not exactly one
 *  address, an empty subject or text. */
export async function enqueueMail(
  deps: Pick<Deps, "clock">,
  queryable: Queryable,
  message: MailMessage,
): Promise<void> {
  check(message);
  await insertMail(queryable, message, deps.clock.now());
}

function check({ id, to, subject, text, html }: MailMessage): void {
  if (id === "" || id.length > LONGEST_ID) throw new TypeError(`id: must be 1 to ${LONGEST_ID} characters`);
  if (to.length > LONGEST_ADDRESS || !ADDRESS.test(to))
    throw new TypeError("to: must be one address, such as ada@example.com");
  if (subject === "" || /\p{Cc}/u.test(subject)) throw new TypeError("subject: must be one line of text");
  if (text === "") throw new TypeError("text: must not be empty; it is what every reader can show");
  if (`${text}${html ?? ""}`.includes("\u0000")) throw new TypeError("text, html: must not contain NUL");
}
