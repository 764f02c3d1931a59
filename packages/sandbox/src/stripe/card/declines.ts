/** Why a payment is refused, in Stripe's words. */
export interface Decline {
  readonly code: string;
  readonly declineCode: string;
  readonly message: string;
  /** What Stripe advises to do next. */
  readonly advice: "confirm_card_data" | "do_not_try_again" | "try_again_later";
}

export const DECLINES: Readonly<Record<string, Decline>> = {
  generic_decline: declined("generic_decline", "Your card was declined.", "try_again_later"),
  insufficient_funds: declined("insufficient_funds", "Your card has insufficient funds.", "try_again_later"),
  lost_card: declined("lost_card", "Your card was declined.", "do_not_try_again"),
  stolen_card: declined("stolen_card", "Your card was declined.", "do_not_try_again"),
  fraudulent: declined("fraudulent", "Your card was declined.", "do_not_try_again"),
  card_velocity_exceeded: declined(
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    "try_again_later",
  ),
  do_not_honor: declined("do_not_honor", "Your card was declined.", "try_again_later"),
  expired_card: own("expired_card", "Your card has expired.", "confirm_card_data"),
  incorrect_cvc: own("incorrect_cvc", "Your card's security code is incorrect.", "confirm_card_data"),
  processing_error: own(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    "try_again_later",
  ),
  authentication_required: own(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "try_again_later",
  ),
  authentication_failed: {
    code: "payment_intent_authentication_failure",
    declineCode: "authentication_required",
    message:
      "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
    advice: "try_again_later",
  },
  account_closed: own("account_closed", "The customer's bank account has been closed.", "do_not_try_again"),
  no_account: own("no_account", "The bank account could not be located.", "confirm_card_data"),
  debit_not_authorized: own(
    "debit_not_authorized",
    "The customer has notified their bank that this payment was unauthorized.",
    "do_not_try_again",
  ),
};

function declined(declineCode: string, message: string, advice: Decline["advice"]): Decline {
  return { code: "card_declined", declineCode, message, advice };
}

function own(code: string, message: string, advice: Decline["advice"]): Decline {
  return { code, declineCode: code, message, advice };
}
