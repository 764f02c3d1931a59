import type { Clock } from "../clock/clock.ts";
import { notify } from "../notice/notify.ts";
import type { Queryable } from "../payment/store.ts";
import type { TopUpPolicy } from "./store-policies.ts";

/** Once for each time the policy was set. */
export async function noUsableMethod(client: Queryable, clock: Clock, policy: TopUpPolicy): Promise<void> {
  await notify(client, clock, {
    id: `no_method:${policy.updatedAt}`,
    accountId: policy.accountId,
    kind: "topup_disabled",
    title: "Auto top-up is switched off",
    text: "Credits were to be bought, but there is no payment method that can be charged. Add one, and switch auto top-up on again.",
    details: { code: "no_payment_method" },
    mail: true,
  });
}
