import { type AccountId, newAccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { findAccount, insertAccount } from "./store.ts";

export interface CreateAccountRequest {
  readonly id?: AccountId | undefined;
  readonly name: string;
  readonly alertBelow?: MicroCredits | undefined;
}

export type CreateAccountOutcome =
  | { readonly kind: "created"; readonly duplicate: boolean; readonly id: AccountId; readonly name: string }
  | { readonly kind: "account_exists"; readonly id: AccountId };

/** Creates an account with no credits. The same id and name again is a repetition; another name is not.
 *  Outcomes: account_exists, created. */
export async function createAccount(
  deps: Pick<Deps, "pool" | "clock">,
  request: CreateAccountRequest,
): Promise<CreateAccountOutcome> {
  const id = request.id ?? newAccountId();
  const { name, alertBelow = null } = request;
  const isNew = await insertAccount(deps.pool, { id, name, alertBelow, createdAt: deps.clock.now() });
  if (isNew) return { kind: "created", duplicate: false, id, name };
  const existing = await findAccount(deps.pool, id);
  if (existing?.name !== name) return { kind: "account_exists", id };
  return { kind: "created", duplicate: true, id, name };
}
