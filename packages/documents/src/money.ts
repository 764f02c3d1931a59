/** "€1,234.50", "¥2,000": exact, with as many decimals as the currency has. Units: the currency's minor units.
 *  Throws RangeError: `currency` is no ISO 4217 code. */
export function moneyText(minorUnits: bigint, currency: string): string {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const decimals = format.resolvedOptions().maximumFractionDigits ?? 0;
  const sign = minorUnits < 0n ? "-" : "";
  const digits = String(minorUnits < 0n ? -minorUnits : minorUnits).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = decimals === 0 ? "" : `.${digits.slice(-decimals)}`;
  // A number would not hold every amount; a decimal string does.
  return format.format(`${sign}${whole}${fraction}` as Intl.StringNumericLiteral);
}
