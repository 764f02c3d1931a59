import type { AccountId } from "@bursar/contract/ids";
import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import { Session } from "./session.ts";

/** The sessions of this process. A session is found by its client's id together with who the client is and whose
 *  account it is on: nobody else's id opens it. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #perAccount = new Map<AccountId, number>();

  /** null: the account has too many. */
  open(accountId: AccountId, by: string, clientSessionId: string): Session | null {
    const name = JSON.stringify([accountId, by, clientSessionId]);
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const count = this.#perAccount.get(accountId) ?? 0;
    if (count >= SESSION_LIMITS.perAccount) return null;
    const session = new Session(clientSessionId, accountId);
    this.#sessions.set(name, session);
    this.#perAccount.set(accountId, count + 1);
    return session;
  }

  [Symbol.iterator](): MapIterator<Session> {
    return this.#sessions.values();
  }

  /** Forgets those that have rested for so long. */
  sweep(restedMilliseconds: number): void {
    const before = performance.now() - restedMilliseconds;
    for (const [name, session] of this.#sessions) {
      if (session.idleSince === null || session.idleSince > before) continue;
      this.#sessions.delete(name);
      const left = this.#perAccount.get(session.accountId)! - 1;
      if (left === 0) this.#perAccount.delete(session.accountId);
      else this.#perAccount.set(session.accountId, left);
    }
  }
}
