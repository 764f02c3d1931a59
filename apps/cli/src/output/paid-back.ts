interface Paid {
  readonly disputed: boolean;
  /** Minor units, as is `of`. */
  readonly refunded: number;
  /** All that was paid. */
  readonly of: number;
}

/** The state of a payment or an invoice, and what became of its money since. */
export function withPaidBack(state: string, { disputed, refunded, of }: Paid): string {
  if (disputed) return `${state}, disputed`;
  if (refunded === 0) return state;
  return refunded >= of ? "paid back" : `${state}, partly paid back`;
}
