import type { Person, Role } from "./person.ts";
import type { Renewal } from "./second-factor/factors.ts";
import type { StepUpOutcome } from "./sign-in/step-up.ts";

/** Who a request is from. A Bearer token wins over any cookie: with a bad token the answer is no, whatever the cookie. */
export type WhoOutcome =
  | {
      readonly kind: "authenticated";
      readonly person: Person;
      readonly via: "access_token" | "session";
      /** Where the person is signed in. */
      readonly sessionId: string;
    }
  | { readonly kind: "unauthenticated"; readonly reason: "missing" | "invalid" | "expired" };

/** The door to people for everything outside this package. */
export interface Identity {
  /** Throws when the database cannot be asked: that is a no. */
  authenticate(headers: Headers): Promise<WhoOutcome>;
  readonly people: People;
  /** This server's public address, without a slash at its end; known once it listens. */
  readonly url: () => string;
  /** Asks for the second factor once more, before something that costs money. */
  stepUp(request: { personId: string; code?: string | undefined }): Promise<StepUpOutcome>;
  /** Brings second factors of older versions under the master key, up to 10,000 a call. */
  renewSecondFactors(): Promise<Renewal>;
}

export interface People {
  /** By id, username or e-mail, in this order. */
  find(named: string): Promise<Person | null>;
  /** The same, and a person unknown so far is made: never twice, however many ask at once. A made person has no
   *  password until they reset it. Only an e-mail, a username or an id that could be one makes a person. */
  findOrCreate(named: string): Promise<Person>;
  list(request: {
    role?: Role;
    limit: number;
    cursor?: string;
  }): Promise<{ people: Person[]; nextCursor: string | null }>;
}
