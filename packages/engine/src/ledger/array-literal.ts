/** A Postgres array literal of text that cannot hold a quote or a backslash, such as ids, numbers and hex. */
export function quotedArray(values: readonly string[]): string {
  return values.length === 0 ? "{}" : `{"${values.join('","')}"}`;
}
