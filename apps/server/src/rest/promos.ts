import { credits, iso } from "@bursar/contract/shapes";
import { redeemPromo } from "@bursar/engine/promo/redeem";
import { disablePromo, insertPromo, listPromos, type PromoRecord } from "@bursar/engine/promo/store";
import { codeRefused, refusedToOrganizations } from "./codes.ts";
import type { Handler } from "./context.ts";
import { endsInThePast } from "./grants.ts";

export const redeemPromoCode: Handler<"redeemPromoCode"> = async (call) => {
  const { deps, accountId, address, principal } = call;
  const refusal = refusedToOrganizations(accountId, "promo");
  if (refusal !== null) return refusal;
  const outcome = await redeemPromo(deps, { accountId, code: call.body.code, address, by: principal.by });
  if (outcome.kind !== "redeemed") return codeRefused(outcome);
  const { code, grantId, amount, expiresAt, duplicate } = outcome;
  return {
    repeated: duplicate,
    answer: { code, grantId, amount: credits(amount), expiresAt: iso(expiresAt) },
  };
};

export const createPromoCode: Handler<"createPromoCode"> = async ({ deps, body, principal }) => {
  const late = endsInThePast(body.expiresAt, deps.clock.now());
  if (late !== null) return late;
  const promo = { ...body, createdAt: deps.clock.now(), createdBy: principal.by };
  if (await insertPromo(deps.pool, promo))
    return { answer: promoAnswer({ ...promo, redeemed: 0, disabledAt: null }) };
  const message = `There is a code ${body.code} already; the terms of a code never change`;
  return { problem: "promo_exists", message, param: "code" };
};

export const listPromoCodes: Handler<"listPromoCodes"> = async ({ deps }) => ({
  answer: { promos: (await listPromos(deps.pool)).map(promoAnswer) },
});

export const disablePromoCode: Handler<"disablePromoCode"> = async ({ deps, params, principal }) => {
  const code = params.id;
  const promo = await disablePromo(deps.pool, { code, by: principal.by, at: deps.clock.now() });
  if (promo !== null) return { answer: promoAnswer(promo) };
  return { problem: "promo_unknown", message: `There is no promo code ${code}`, param: "id" };
};

function promoAnswer(promo: PromoRecord) {
  const { amount, minimumPurchased, expiresAt, disabledAt, createdAt, ...rest } = promo;
  const amounts = { amount: credits(amount), minimumPurchased: credits(minimumPurchased) };
  const times = { expiresAt: iso(expiresAt), disabledAt: iso(disabledAt), createdAt: iso(createdAt)! };
  return { ...rest, ...amounts, ...times };
}
