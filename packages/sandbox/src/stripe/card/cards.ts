/** A number that behaves in its own way, as Stripe's test cards and bank accounts do. */
export interface TestNumber {
  readonly number: string;
  /** Ids that stand for it wherever a payment method is asked for. */
  readonly tokens: readonly string[];
  readonly type: "card" | "us_bank_account";
  readonly brand: string;
  readonly country: string;
  /** The name of the decline that every charge ends with; null: it pays. */
  readonly decline: string | null;
  /** False: Stripe already refuses to save it for a customer. */
  readonly attaches: boolean;
  /** When the holder must prove to be who they are. `on_session`: whenever they are there. `once`: until they have done it for
   *  later use. */
  readonly authentication: "always" | "never" | "on_session" | "once";
  /** False: the outcome comes minutes later. */
  readonly settlesAtOnce: boolean;
  /** What its holder does after having paid. */
  readonly dispute: "fraudulent" | "inquiry" | "product_not_received" | null;
  readonly refund: "at_once" | "fails" | "later";
}

const usual = {
  type: "card",
  brand: "visa",
  country: "US",
  decline: null,
  attaches: true,
  authentication: "never",
  settlesAtOnce: true,
  dispute: null,
  refund: "at_once",
} as const;

const card = (number: string, token: string, other: Partial<TestNumber> = {}): TestNumber => ({
  ...usual,
  number,
  tokens: [token],
  ...other,
});

const declining = (number: string, token: string, decline: string) =>
  card(number, token, { decline, attaches: false });

const bank = (number: string, token: string, decline: string | null, other: Partial<TestNumber> = {}) =>
  card(number, token, {
    type: "us_bank_account",
    brand: "STRIPE TEST BANK",
    decline,
    settlesAtOnce: false,
    ...other,
  });

const CARDS: readonly TestNumber[] = [
  card("4242424242424242", "pm_card_visa"),
  card("4000056655665556", "pm_card_visa_debit"),
  card("5555555555554444", "pm_card_mastercard", { brand: "mastercard" }),
  card("378282246310005", "pm_card_amex", { brand: "amex" }),
  card("6011111111111117", "pm_card_discover", { brand: "discover" }),
  card("3566002020360505", "pm_card_jcb", { brand: "jcb", country: "JP" }),
  card("4000003800000446", "pm_card_authenticationRequiredSetupForOffSession", {
    authentication: "on_session",
    country: "TH",
  }),
  card("4000002500003155", "pm_card_authenticationRequiredOnSetup", {
    authentication: "once",
    country: "FR",
  }),
  card("4000002760003184", "pm_card_authenticationRequired", { authentication: "always", country: "DE" }),
  card("4000000000003220", "pm_card_threeDSecure2Required", { authentication: "always" }),
  card("4000008260003178", "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", {
    authentication: "always",
    country: "GB",
    decline: "insufficient_funds",
  }),
  declining("4000000000000002", "pm_card_chargeDeclined", "generic_decline"),
  declining("4000000000009995", "pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
  declining("4000000000009987", "pm_card_chargeDeclinedLostCard", "lost_card"),
  declining("4000000000009979", "pm_card_chargeDeclinedStolenCard", "stolen_card"),
  declining("4000000000000069", "pm_card_chargeDeclinedExpiredCard", "expired_card"),
  declining("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
  declining("4000000000000119", "pm_card_chargeDeclinedProcessingError", "processing_error"),
  declining("4000000000006975", "pm_card_chargeDeclinedVelocityLimitExceeded", "card_velocity_exceeded"),
  declining("4100000000000019", "pm_card_radarBlock", "fraudulent"),
  card("4000000000000341", "pm_card_chargeCustomerFail", { decline: "generic_decline" }),
  card("4000000000000259", "pm_card_createDispute", { dispute: "fraudulent" }),
  card("4000000000002685", "pm_card_createDisputeProductNotReceived", { dispute: "product_not_received" }),
  card("4000000000001976", "pm_card_createDisputeInquiry", { dispute: "inquiry" }),
  card("4000000000007726", "pm_card_pendingRefund", { refund: "later" }),
  card("4000000000005126", "pm_card_refundFail", { refund: "fails" }),
];

/** Outcomes come minutes later. Stripe has cards only that answer at once; the first two are this sandbox's own. */
const SLOW: readonly TestNumber[] = [
  card("4000000000990001", "pm_sandbox_processing", { settlesAtOnce: false }),
  card("4000000000990002", "pm_sandbox_processingFail", {
    settlesAtOnce: false,
    decline: "insufficient_funds",
  }),
  bank("000123456789", "pm_usBankAccount_success", null),
  bank("000111111113", "pm_usBankAccount_accountClosed", "account_closed"),
  bank("000111111116", "pm_usBankAccount_noAccount", "no_account"),
  bank("000222222227", "pm_usBankAccount_insufficientFunds", "insufficient_funds"),
  bank("000333333335", "pm_usBankAccount_debitNotAuthorized", "debit_not_authorized"),
  bank("000888888885", "pm_usBankAccount_dispute", null, { dispute: "fraudulent" }),
];

export const TEST_NUMBERS: readonly TestNumber[] = [...CARDS, ...SLOW];

const BY_NAME = new Map(
  TEST_NUMBERS.flatMap((entry) => {
    const sources = entry.tokens.map((token) => token.replace(/^pm_card_/, "tok_"));
    return [entry.number, ...entry.tokens, ...sources].map((name) => [name, entry] as const);
  }),
);

/** By number, by `pm_card_…` or by `tok_…`; null for what is none of them. */
export function findNumber(name: string): TestNumber | null {
  return BY_NAME.get(name.replaceAll(" ", "")) ?? null;
}
