import {
  newAccountId,
  newGrantId,
  newHoldId,
  newOperationId,
  newOrganizationId,
  newPaymentId,
  newRunId,
} from "@bursar/contract/ids";
import type { Operation } from "@bursar/contract/operation";
import type { OperationName } from "@bursar/contract/v1";
import type { Fields } from "./call.ts";

/** POSTs that carry no id of their own and still do no harm twice: a check writes nothing, every operation of a batch
 *  has its id, what has been read stays read, a code opens once, and what is rewrapped is not rewrapped again. */
const HARMLESS_TWICE: ReadonlySet<string> = new Set<OperationName>([
  "check",
  "batch",
  "readNotice",
  "readAllNotices",
  "rotateKeys",
  "previewSubscription",
  "resumeSubscription",
  "redeemGiftCard",
  "redeemPromoCode",
  "trackReferral",
  "voidGiftCards",
  "disablePromoCode",
  "removeMember",
  "leaveOrganization",
  "transferOrganization",
  "revokeInvite",
  "acceptInvite",
  "decideRequest",
  "addRepository",
  "removeRepository",
  "resendEvent",
]);

const NEW_ID: Readonly<Record<string, () => string>> = {
  createAccount: newAccountId,
  createGrant: newGrantId,
  createHold: newHoldId,
  createRun: newRunId,
  createOrganization: newOrganizationId,
  createPurchase: newPaymentId,
} satisfies Partial<Record<OperationName, () => string>>;

/** True when the server does the work once, however often it is asked: after a lost answer, asking again is safe.
 *  A write repeats under the id in its body, or under the hold that its path names and that closes only once. */
export function isRepeatable(operation: Operation): boolean {
  if (operation.method !== "post") return true;
  if (takesOwnId(operation) || HARMLESS_TWICE.has(operation.name)) return true;
  return operation.name === "settleHold" || operation.name === "releaseHold";
}

/** The same fields under an id, made here when the caller gave none, so that every retry carries the same one. */
export function underAnId(operation: Operation, fields: Fields | undefined): Fields | undefined {
  if (!takesOwnId(operation) || fields?.["id"] !== undefined) return fields;
  const newId = NEW_ID[operation.name] ?? newOperationId;
  return { ...fields, id: newId() };
}

function takesOwnId({ body }: Operation): boolean {
  if (body === undefined || !("shape" in body)) return false;
  return typeof body.shape === "object" && body.shape !== null && "id" in body.shape;
}
