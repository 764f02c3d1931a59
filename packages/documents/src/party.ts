/** Seller or buyer. */
export interface Party {
  readonly name: string;
  /** The address, and whatever else belongs below the name; a line each. */
  readonly lines: readonly string[];
  readonly taxId?: string | undefined;
}
