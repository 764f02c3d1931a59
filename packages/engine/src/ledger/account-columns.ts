import type { AccountId } from "@bursar/contract/ids";
import type { Account } from "./account.ts";
import { grantsFromText } from "./grants-text.ts";

const AMOUNTS = 10;
/** No amount is this small: it stands for none. */
const NONE = -(2n ** 63n);
const FIRST_SLOTS = 256;

const HASH_BYTES = 64;
/** Two or three grants. Longer texts are kept beside. */
const GRANTS_BYTES = 190;
const TEXT_BYTES = HASH_BYTES + GRANTS_BYTES + 2;
const TOO_LONG = 255;

/** Accounts at rest, a numbered slot each: amounts side by side in one array of integers, texts in one array of bytes.
 *  As objects, or even as strings, they would be survivors that the garbage collector has to move and mark with every
 *  command: that was half of what a command cost. */
export class AccountColumns {
  #amounts = new BigInt64Array(FIRST_SLOTS * AMOUNTS);
  /** A slot: hash, grants, the length of the grants' text, whether the account is frozen. */
  #texts = Buffer.alloc(FIRST_SLOTS * TEXT_BYTES);
  readonly #longGrants = new Map<number, string>();

  /** `grants`: the account's grants as text. */
  write(slot: number, account: Account, grants: string): void {
    if (slot * AMOUNTS >= this.#amounts.length) this.#makeRoom(slot + 1);
    this.#writeAmounts(slot * AMOUNTS, account);
    const texts = this.#texts;
    const start = slot * TEXT_BYTES;
    const end = start + TEXT_BYTES;
    texts.write(account.hash, start, "latin1");
    texts[end - 1] = account.frozen ? 1 : 0;
    const isLong = grants.length * 3 > GRANTS_BYTES && Buffer.byteLength(grants) > GRANTS_BYTES;
    texts[end - 2] = isLong ? TOO_LONG : texts.write(grants, start + HASH_BYTES);
    if (isLong) this.#longGrants.set(slot, grants);
    else if (this.#longGrants.size > 0) this.#longGrants.delete(slot);
  }

  /** Of a slot that was written. */
  read(slot: number, id: AccountId): Account {
    const amounts = this.#amounts;
    const at = slot * AMOUNTS;
    const texts = this.#texts;
    const start = slot * TEXT_BYTES;
    return {
      id,
      available: amounts[at]!,
      held: amounts[at + 1]!,
      owed: amounts[at + 2]!,
      issued: amounts[at + 3]!,
      spent: amounts[at + 4]!,
      expired: amounts[at + 5]!,
      revoked: amounts[at + 6]!,
      frozen: texts[start + TEXT_BYTES - 1] === 1,
      grants: grantsFromText(this.#grantsOf(slot)),
      seq: amounts[at + 7]!,
      hash: texts.toString("latin1", start, start + HASH_BYTES),
      alertBelow: limit(amounts[at + 8]!),
      topupBelow: limit(amounts[at + 9]!),
    };
  }

  #grantsOf(slot: number): string {
    const start = slot * TEXT_BYTES;
    const length = this.#texts[start + TEXT_BYTES - 2]!;
    if (length === TOO_LONG) return this.#longGrants.get(slot)!;
    return this.#texts.toString("utf8", start + HASH_BYTES, start + HASH_BYTES + length);
  }

  #writeAmounts(start: number, account: Account): void {
    const amounts = this.#amounts;
    amounts[start] = account.available;
    amounts[start + 1] = account.held;
    amounts[start + 2] = account.owed;
    amounts[start + 3] = account.issued;
    amounts[start + 4] = account.spent;
    amounts[start + 5] = account.expired;
    amounts[start + 6] = account.revoked;
    amounts[start + 7] = account.seq;
    amounts[start + 8] = account.alertBelow ?? NONE;
    amounts[start + 9] = account.topupBelow ?? NONE;
  }

  #makeRoom(slots: number): void {
    const enough = Math.max(slots, (this.#amounts.length / AMOUNTS) * 2);
    const amounts = new BigInt64Array(enough * AMOUNTS);
    amounts.set(this.#amounts);
    this.#amounts = amounts;
    const texts = Buffer.alloc(enough * TEXT_BYTES);
    texts.set(this.#texts);
    this.#texts = texts;
  }
}

function limit(amount: bigint): bigint | null {
  return amount === NONE ? null : amount;
}
