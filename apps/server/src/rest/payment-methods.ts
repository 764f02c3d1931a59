import type { AccountId } from "@bursar/contract/ids";
import { findAccount } from "@bursar/engine/account/store";
import type { PaymentDeps } from "@bursar/engine/payment/deps";
import { customerOf, isUsable, methodsOf, setupPage, withCustomer } from "@bursar/engine/payment/methods";
import type {
  AttachOutcome,
  CustomerDeleted,
  PaymentFailure,
  PaymentMethod,
} from "@bursar/engine/payment/payments";
import { removeMethod } from "@bursar/engine/payment/remove-method";
import { followDefault } from "@bursar/engine/subscription/method";
import type { Handler, RestDeps } from "./context.ts";
import { methodUnknown } from "./payments.ts";
import { type Problem, refused } from "./problem.ts";
import { withPayments } from "./with-payments.ts";

export const listPaymentMethods: Handler<"listPaymentMethods"> = ({ deps, accountId }) =>
  withPayments(deps, async (paying) => {
    if ((await findAccount(deps.pool, accountId)) === null)
      return refused({ kind: "account_unknown", accountId });
    return { answer: await listed(paying, accountId) };
  });

async function listed(deps: PaymentDeps, accountId: AccountId) {
  const methods = await methodsOf(deps, accountId);
  return { paymentMethods: methods.map((method) => methodAnswer(deps, method)) };
}

function methodAnswer(deps: Pick<RestDeps, "clock">, method: PaymentMethod) {
  return { ...method, usable: isUsable(method, deps.clock.now()) };
}

export const addPaymentMethod: Handler<"addPaymentMethod"> = ({ deps, accountId, body }) =>
  withPayments(deps, async (paying) => {
    const token = body.paymentMethod;
    if (token === undefined) {
      const returnUrl = body.returnUrl ?? `${deps.identity.url()}/pay/saved`;
      const page = await setupPage(paying, accountId, returnUrl);
      if (page === null) return refused({ kind: "account_unknown", accountId });
      return { answer: { paymentMethod: null, url: page.url } };
    }
    const attach = (customerId: string) => paying.payments.attach(customerId, token);
    const outcome = await withCustomer<Exclude<AttachOutcome, CustomerDeleted>>(paying, accountId, attach);
    if (outcome === null) return refused({ kind: "account_unknown", accountId });
    if (outcome.kind === "refused") return methodRefused(outcome);
    return { answer: { paymentMethod: methodAnswer(deps, outcome.method), url: null } };
  });

function methodRefused({ code, message }: PaymentFailure): Problem {
  return {
    problem: "payment_method_refused",
    message: `The payment method was refused: ${message}`,
    param: "paymentMethod",
    extra: { reason: code },
  };
}

export const setDefaultPaymentMethod: Handler<"setDefaultPaymentMethod"> = ({ deps, accountId, body }) =>
  withPayments(deps, async (paying) => {
    if (!(await isOwn(paying, accountId, body.paymentMethod))) return methodUnknown;
    const customerId = await customerOf(paying, accountId);
    await paying.payments.setDefault(customerId!, body.paymentMethod);
    await renewOnDefault(deps, accountId, null);
    return { answer: await listed(paying, accountId) };
  });

export const removePaymentMethod: Handler<"removePaymentMethod"> = ({ deps, accountId, body }) =>
  withPayments(deps, async (paying) => {
    if (!(await removeMethod(paying, accountId, body.paymentMethod))) return methodUnknown;
    await renewOnDefault(deps, accountId, body.paymentMethod);
    return { answer: await listed(paying, accountId) };
  });

/** Where the provider's own word of it gets lost, and sooner than that comes. */
async function renewOnDefault(
  { pool, subscriptions }: RestDeps,
  accountId: AccountId,
  removed: string | null,
): Promise<void> {
  if (subscriptions === undefined) return;
  await followDefault({ pool, payments: subscriptions.payments }, accountId, { removed, at: null });
}

/** The provider would change anybody's: only the account's own are passed on. */
async function isOwn(deps: PaymentDeps, accountId: AccountId, methodId: string): Promise<boolean> {
  return (await methodsOf(deps, accountId)).some(({ id }) => id === methodId);
}
