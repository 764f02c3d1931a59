import type { AccountId } from "@bursar/contract/ids";
import { randomText } from "@bursar/contract/random-text";
import { z } from "zod";

const tail = randomText("0123456789abcdefghjkmnpqrstvwxyz", 24);
const ID_SHAPE = /^user_[0-9a-hjkmnp-tv-z]{24}$/;
const USERNAME_SHAPE = /^[a-z0-9_.-]{3,64}$/i;

/** People who were named by no e-mail get one that no mail is ever sent to (RFC 2606). */
const NO_MAIL = "people.invalid";

export const newPersonId = (): string => `user_${tail()}`;

/** A person's credit account has the tail of the person's id. */
export function accountIdOf(personId: string): AccountId {
  return `acct_${personId.slice("user_".length)}` as AccountId;
}

/** Whose credit account this is, if it is a person's. */
export function personIdOf(accountId: string): string | null {
  const id = accountId.replace(/^acct_/, "user_");
  return ID_SHAPE.test(id) ? id : null;
}

export function canGetMail(email: string): boolean {
  return !email.endsWith(`@${NO_MAIL}`);
}

/** No username looks like an id, so that nobody can catch what is meant for somebody else. */
export function isUsername(text: string): boolean {
  return USERNAME_SHAPE.test(text) && !ID_SHAPE.test(text.toLowerCase());
}

export function isEmail(text: string): boolean {
  return text.length <= 254 && z.email().safeParse(text).success;
}

/** Is thrown for a text that names nobody and could name nobody. */
export class NotAName extends Error {
  override readonly name = "NotAName";
  constructor() {
    super("must be an e-mail, a username (3 to 64 letters, digits or _ . -) or an id (user_…)");
  }
}

export interface Naming {
  readonly id: string;
  readonly email: string;
  readonly username: string | null;
  readonly name: string;
}

/** The person that this text would make. Throws NotAName. */
export function namingFrom(named: string): Naming {
  const text = named.trim().toLowerCase();
  if (ID_SHAPE.test(text)) return { id: text, email: `${text}@${NO_MAIL}`, username: null, name: text };
  if (isEmail(text)) {
    return { id: newPersonId(), email: text, username: null, name: text.slice(0, text.indexOf("@")) };
  }
  if (!isUsername(text)) throw new NotAName();
  // Not after the username, which can change hands; the id cannot.
  const id = newPersonId();
  return { id, email: `${id}@${NO_MAIL}`, username: text, name: named.trim() };
}
