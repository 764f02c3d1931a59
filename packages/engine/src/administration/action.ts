import type { AccountId } from "@bursar/contract/ids";

/** Who does something, and in which request. */
export interface Administrator {
  /** As entries name them: `admin:<key>` or `user:<person>`. */
  readonly by: string;
  /** A person's e-mail; a key's name is looked up. */
  readonly name: string | null;
  readonly keyId: string | null;
  readonly requestId: string;
}

/** What is about to be done. */
export interface Intent {
  readonly operation: string;
  /** null: none, or the request does not say which. */
  readonly accountId: AccountId | null;
  readonly target: string | null;
  readonly reason: string | null;
  /** What was asked, without anything secret: it is kept for good. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How it ended. */
export interface Ending {
  /** done, repeated, or why not: an error's code. */
  readonly outcome: string;
  /** Whom it was about, where the intent does not say it. */
  readonly accountId?: AccountId | undefined;
  readonly result?: string | undefined;
}
