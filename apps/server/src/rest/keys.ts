import type { AccountId, KeyId } from "@bursar/contract/ids";
import { credits, iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import type { Handler } from "./context.ts";
import { endsInThePast } from "./grants.ts";
import { type Problem, refused } from "./problem.ts";

export const createKey: Handler<"createKey"> = async ({ deps, body, principal, idempotencyKey }) => {
  const late = endsInThePast(body.expiresAt ?? null, deps.clock.now());
  if (late !== null) return late;
  const outcome = await deps.keys.create({
    ...body,
    accountId: body.accountId as AccountId,
    by: principal.by,
    idempotencyKey,
  });
  if (outcome.kind === "account_unknown") return refused(outcome);
  if (outcome.kind === "key_exists") return keyExists(outcome);
  if (outcome.kind === "secret_known") throw new Error("a secret made by chance was there already");
  return { answer: { id: outcome.id, key: outcome.key, prefix: outcome.prefix } };
};

/** A secret that nobody has read leaves a key that nobody can use: it is named, so that it can be revoked. */
function keyExists({ id, prefix }: { readonly id: KeyId; readonly prefix: string }): Problem {
  return {
    problem: "key_conflict",
    message: `This Idempotency-Key has made the key ${id} (${prefix}…), which is not shown again: if nobody has it, revoke it, and ask under another`,
    param: "Idempotency-Key",
    extra: { keyId: id, prefix },
  };
}

export const listKeys: Handler<"listKeys"> = async ({ deps, query }) => {
  const accountId = (query.accountId ?? null) as AccountId | null;
  const keys = await deps.keys.list(accountId);
  if (keys.length === 0 && accountId !== null && (await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  return {
    answer: {
      keys: keys.map((key) => ({
        id: key.id,
        accountId: key.accountId,
        name: key.name,
        prefix: key.prefix,
        capAmount: key.capAmount === null ? null : credits(key.capAmount),
        capUsed: credits(key.capUsed),
        capWindow: key.capWindow,
        expiresAt: iso(key.expiresAt),
        revokedAt: iso(key.revokedAt),
        lastUsedAt: iso(key.lastUsedAt),
        createdAt: iso(key.createdAt)!,
      })),
    },
  };
};

export const revokeKey: Handler<"revokeKey"> = async ({ deps, params }) => {
  const outcome = await deps.keys.revoke(params.id as KeyId);
  if (outcome.kind === "revoked") {
    const { at, accountId } = outcome;
    return { answer: { id: params.id, revokedAt: iso(at)! }, accountId: accountId ?? undefined };
  }
  return { problem: "key_unknown", message: `There is no key ${outcome.id}`, param: "id" };
};
