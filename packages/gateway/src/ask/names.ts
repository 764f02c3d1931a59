import type { Invalid } from "./ask.ts";
import { EXTRA_FIELDS } from "./extras.ts";
import { type Fields, invalid } from "./fields.ts";

/** What is read here of a body: by these fields a call is priced, limited or refused. */
const READ_FIELDS = [
  ...["model", "messages", "prompt", "input", "functions", "response_format"],
  ...["n", "best_of", "max_tokens", "max_completion_tokens", "stream", "stream_options"],
  ...EXTRA_FIELDS,
];

const NAMES: ReadonlyMap<string, string> = new Map(READ_FIELDS.map((name) => [folded(name), name]));

/** The first field that bears another's name in other letters. Whoever parses JSON in Go takes "Model" for "model", and
 *  the last one that comes: that model would answer, and the first be charged. */
export function checkNames(body: Fields): Invalid | null {
  for (const field of Object.keys(body)) {
    const name = NAMES.get(folded(field));
    if (name !== undefined && name !== field) return invalid(field, `'${field}' must be written '${name}'.`);
  }
  return null;
}

/** As Go compares: "ſ" is an s, too, and the Kelvin sign a k. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}
