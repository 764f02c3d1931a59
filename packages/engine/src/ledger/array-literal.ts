/** Postgres array literals, built by hand: a batch sends thousands of values, and the driver's own conversion of
 *  arrays costs more than all the deciding. */

type Value = string | bigint | number | boolean | null;

/** For numbers and others that never need quotes. */
export function plainArray(values: readonly Value[]): string {
  let text = "{";
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ",";
    const value = values[i];
    text += value === null || value === undefined ? "NULL" : String(value);
  }
  return `${text}}`;
}

const NEEDS_ESCAPE = /["\\]/;
const ESCAPED = /["\\]/g;

export function textArray(values: readonly (string | null)[]): string {
  let text = "{";
  for (let i = 0; i < values.length; i++) {
    if (i > 0) text += ",";
    const value = values[i];
    if (value === null || value === undefined) text += "NULL";
    else text += `"${NEEDS_ESCAPE.test(value) ? value.replace(ESCAPED, "\\$&") : value}"`;
  }
  return `${text}}`;
}

/** For text that cannot hold a quote or a backslash, such as ids, numbers and hex. */
export function quotedArray(values: readonly string[]): string {
  return values.length === 0 ? "{}" : `{"${values.join('","')}"}`;
}
