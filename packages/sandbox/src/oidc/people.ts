/** Somebody as the provider knows them. */
export interface SandboxPerson {
  /** The subject: the same for the same e-mail, whenever and wherever. */
  readonly sub: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string;
}

const PREFIX = "sandbox:";

/** Offered for a click. The last one's address was never proved. */
export const OFFERED: readonly SandboxPerson[] = [
  person("ada@sandbox.test", "Ada Lovelace"),
  person("grace@sandbox.test", "Grace Hopper"),
  person("alan@sandbox.test", "Alan Turing"),
  { ...person("mallory@sandbox.test", "Mallory"), emailVerified: false },
];

const NAME = /^[\p{L}\p{N}._+-]{1,64}$/u;
const EMAIL = /^[\p{L}\p{N}._+-]{1,64}@[\p{L}\p{N}.-]{1,190}$/u;

export const NAMING_HINT = "a name without spaces, such as ada, or an e-mail address";

/** Whom this text means: an e-mail, or a name of a mailbox at sandbox.test. null for a text that is neither. */
export function personFrom(text: string): SandboxPerson | null {
  const wanted = text.trim().toLowerCase();
  const email = NAME.test(wanted) ? `${wanted}@sandbox.test` : wanted;
  if (!EMAIL.test(email)) return null;
  return OFFERED.find((offered) => offered.email === email) ?? person(email, email.split("@")[0]!);
}

/** The person of a subject that was given out before. */
export function personOf(sub: string): SandboxPerson | null {
  return sub.startsWith(PREFIX) ? personFrom(sub.slice(PREFIX.length)) : null;
}

function person(email: string, name: string): SandboxPerson {
  return { sub: `${PREFIX}${email}`, email, emailVerified: true, name };
}
