import type { AccountId } from "@bursar/contract/ids";
import { findAccount } from "@bursar/engine/account/store";
import { customerOf, isUsable, methodsOf, type PaymentDeps } from "@bursar/engine/payment/methods";
import type { PaymentMethod } from "@bursar/engine/payment/payments";
import { forgetCustomer } from "@bursar/engine/payment/store-customers";
import type { Handler, RestDeps } from "./context.ts";
import { methodUnknown } from "./payments.ts";
import { isProblem, type Problem, refused } from "./problem.ts";
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
    const customerId = await customerOf(paying, accountId);
    if (customerId === null) return refused({ kind: "account_unknown", accountId });
    if (body.paymentMethod === undefined) {
      const returnUrl = body.returnUrl ?? `${deps.identity.url()}/pay/saved`;
      const url = await paying.payments.setupPage({ accountId, customerId, returnUrl });
      return { answer: { paymentMethod: null, url } };
    }
    const outcome = await attach(paying, accountId, customerId, body.paymentMethod);
    if (isProblem(outcome)) return outcome;
    return { answer: { paymentMethod: methodAnswer(deps, outcome), url: null } };
  });

/** A customer that was deleted at the provider is replaced, once. */
async function attach(
  deps: PaymentDeps,
  accountId: AccountId,
  customerId: string,
  token: string,
): Promise<PaymentMethod | Problem> {
  let outcome = await deps.payments.attach(customerId, token);
  if (outcome.kind === "customer_deleted") {
    await forgetCustomer(deps.pool, customerId);
    const replaced = await customerOf(deps, accountId);
    outcome = await deps.payments.attach(replaced!, token);
  }
  if (outcome.kind === "attached") return outcome.method;
  const { code, message } =
    outcome.kind === "refused" ? outcome : { code: "customer_deleted", message: "it has been deleted" };
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
    return { answer: await listed(paying, accountId) };
  });

export const removePaymentMethod: Handler<"removePaymentMethod"> = ({ deps, accountId, body }) =>
  withPayments(deps, async (paying) => {
    if (!(await isOwn(paying, accountId, body.paymentMethod))) return methodUnknown;
    await paying.payments.detach(body.paymentMethod);
    return { answer: await listed(paying, accountId) };
  });

/** The provider would change anybody's: only the account's own are passed on. */
async function isOwn(deps: PaymentDeps, accountId: AccountId, methodId: string): Promise<boolean> {
  return (await methodsOf(deps, accountId)).some(({ id }) => id === methodId);
}
