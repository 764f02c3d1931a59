import type { Invalid } from "./ask.ts";
import { EXTRA_FIELDS } from "./extras.ts";
import { type Fields, invalid, isObject } from "./fields.ts";

/** What is read here of a body: by these fields a call is priced, limited or refused. */
const READ_FIELDS = [
  ...["model", "messages", "prompt", "input", "functions", "response_format"],
  ...["n", "best_of", "max_tokens", "max_completion_tokens", "stream", "stream_options"],
  ...EXTRA_FIELDS,
];

type Names = ReadonlyMap<string, string>;

const NAMES = namesOf(READ_FIELDS);
const OPTION_NAMES = namesOf(["include_usage"]);
const TOOL_NAMES = namesOf(["type"]);

/** The first field that bears another's name in other letters. Whoever parses JSON in Go takes "Model" for "model", and
 *  the last one that comes: that model would answer, and the first be charged. */
export function checkNames(body: Fields): Invalid | null {
  const { stream_options: options, tools } = body;
  const problem = misnamed(body, NAMES) ?? misnamed(options, OPTION_NAMES, "stream_options.");
  if (problem !== null || !Array.isArray(tools)) return problem;
  const problems = tools.map((tool, index) => misnamed(tool, TOOL_NAMES, `tools[${index}].`));
  return problems.find((found) => found !== null) ?? null;
}

function misnamed(fields: unknown, names: Names, path = ""): Invalid | null {
  if (!isObject(fields)) return null;
  for (const field of Object.keys(fields)) {
    const name = names.get(folded(field));
    if (name !== undefined && name !== field)
      return invalid(`${path}${field}`, `'${path}${field}' must be written '${path}${name}'.`);
  }
  return null;
}

function namesOf(fields: readonly string[]): Names {
  return new Map(fields.map((name) => [folded(name), name]));
}

/** As Go compares: "ſ" is an s, too, and the Kelvin sign a k. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}
