import type { AccountId } from "@bursar/contract/ids";
import type { AnswerOf, BodyOf, ParamsOf, QueryOf } from "@bursar/contract/operation";
import type { OperationName, v1 } from "@bursar/contract/v1";
import type { Deps } from "@bursar/engine/deps";
import type { TopUpBelow } from "@bursar/engine/forecast/forecast";
import type { Keys } from "@bursar/engine/key/keys";
import type { Principal } from "@bursar/engine/key/principal";
import { capOfMember } from "@bursar/engine/organization/caps";
import type { Payments } from "@bursar/engine/payment/payments";
import type { Condition } from "@bursar/engine/referral/decide";
import type { SubscriptionProvider } from "@bursar/engine/subscription/deps";
import type { OpenIdentity } from "@bursar/identity/open";
import type { Problem } from "./problem.ts";
import type { Streamed } from "./streamed.ts";

export interface RestDeps extends Deps {
  readonly keys: Keys;
  /** For people; keys never ask it. */
  readonly identity: Pick<
    OpenIdentity,
    | ("authenticate" | "people" | "stepUp" | "renewSecondFactors" | "url")
    | ("prove" | "proofOf" | "beginDeletion")
  >;
  /** For forecasts, where accounts can top up by themselves. */
  readonly topUpBelow?: TopUpBelow;
  /** Where a payment provider is set up. */
  readonly subscriptions?: SubscriptionProvider | undefined;
  /** What earns the reward of a referral; default: the first purchase. */
  readonly referralCondition?: Condition;
  /** null where no payment provider is set. */
  readonly payments: Payments | null;
}

/** What a handler gets: who asks, about which account, and the checked input. */
export interface Call<Name extends OperationName> {
  readonly deps: RestDeps;
  readonly principal: Principal;
  /** The key's own account, or with an admin key the one it named. Only for operations of access "account". */
  readonly accountId: AccountId;
  readonly requestId: string;
  /** Where the request came from; for limits on guessing alone. */
  readonly address: string;
  /** From the Idempotency-Key header. */
  readonly idempotencyKey: string | undefined;
  /** Why, where the caller says it: in the body or in the header for it. */
  readonly reason: string | null;
  readonly params: ParamsOf<(typeof v1)[Name]>;
  readonly query: QueryOf<(typeof v1)[Name]>;
  readonly body: BodyOf<(typeof v1)[Name]>;
  /** The same before defaults and conversions. */
  readonly rawBody: unknown;
}

/** `repeated` answers 200 where a first success answers the operation's own status. */
export interface Success<Name extends OperationName> {
  readonly answer: AnswerOf<(typeof v1)[Name]>;
  readonly repeated?: boolean;
  /** Whom it was about, where the call itself does not say it; for the record of administration. */
  readonly accountId?: AccountId | undefined;
}

export type Handler<Name extends OperationName> = (
  call: Call<Name>,
) => Promise<Success<Name> | Streamed | Problem>;

/** Who a command is by, and under which key and request: the same facts for every command of a call. */
export function actor(call: Pick<Call<OperationName>, "principal" | "requestId" | "accountId">) {
  const { principal, requestId, accountId } = call;
  return {
    accountId,
    requestId,
    by: principal.by,
    keyId: principal.keyId ?? undefined,
    caps: principal.caps,
    countedIn: holdsOf(principal),
    byAccount: principal.kind === "account",
  };
}

/** Nobody's id: a member of whom nobody knows who it is sees nothing. */
const NOBODY = "";

/** Of an organization's books a member sees their own work alone; null: all of it. */
export function onlyPerson({
  organization,
  person,
}: Pick<Principal, "organization" | "person">): string | null {
  return organization?.role === "member" ? (person?.personId ?? NOBODY) : null;
}

/** On an organization's account a member reaches their own holds alone; owner and admins reach all. */
function holdsOf(principal: Principal): string | undefined {
  const personId = onlyPerson(principal);
  return personId === null ? undefined : capOfMember(personId);
}
