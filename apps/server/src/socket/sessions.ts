import type { AccountId } from "@bursar/contract/ids";
import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import { Session } from "./session.ts";

/** The sessions of this process. A session is found by its client's id together with who the client is and whose
 *  account it is on: nobody else's id opens it. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #perAccount = new Map<AccountId, number>();

  /** Where there are many, one makes room that nobody is in and nothing runs in. null: the account has too many. */
  open(accountId: AccountId, by: string, clientSessionId: string): Session | null {
    const name = JSON.stringify([accountId, by, clientSessionId]);
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const isFull = () => (this.#perAccount.get(accountId) ?? 0) >= SESSION_LIMITS.perAccount;
    if (isFull()) this.#forgetOneOf(accountId);
    if (isFull()) return null;
    const session = new Session(clientSessionId, accountId);
    this.#sessions.set(name, session);
    this.#perAccount.set(accountId, (this.#perAccount.get(accountId) ?? 0) + 1);
    return session;
  }

  [Symbol.iterator](): MapIterator<Session> {
    return this.#sessions.values();
  }

  /** Forgets those that have rested for so long, and lets go of what has waited in vain for as long. */
  sweep(restedMilliseconds: number): void {
    const before = performance.now() - restedMilliseconds;
    for (const [name, session] of this.#sessions) {
      session.leaveWaiting(before);
      if (session.idleSince === null || session.idleSince > before) continue;
      this.#forget(name, session);
    }
  }

  /** Whoever comes back to it asks for its prompts again, and hears how they ended. */
  #forgetOneOf(accountId: AccountId): void {
    for (const [name, session] of this.#sessions) {
      if (session.accountId !== accountId || session.idleSince === null) continue;
      return this.#forget(name, session);
    }
  }

  #forget(name: string, { accountId }: Session): void {
    this.#sessions.delete(name);
    const left = this.#perAccount.get(accountId)! - 1;
    if (left === 0) this.#perAccount.delete(accountId);
    else this.#perAccount.set(accountId, left);
  }
}
