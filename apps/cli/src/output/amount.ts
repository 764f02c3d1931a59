/** "1234567.5" becomes "1,234,567.5". Text that is no amount stays as it is. */
export function amount(credits: string): string {
  const [whole = "", fraction] = credits.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** With its unit, for sentences: "1 credit", "12.5 credits". */
export function creditsText(credits: string): string {
  return `${amount(credits)} ${credits === "1" ? "credit" : "credits"}`;
}

export function isZero(credits: string): boolean {
  return /^-?0*(\.0*)?$/.test(credits);
}

export function count(things: number): string {
  return amount(String(things));
}

/** "1 request", "1,200 requests". */
export function counted(things: number, name: string): string {
  return `${count(things)} ${things === 1 ? name : `${name}s`}`;
}
