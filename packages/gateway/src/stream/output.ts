import { isObject } from "../ask/fields.ts";

/** Text that models write, by the names that OpenAI and its look-alikes give it. */
const TEXT_FIELDS = ["content", "reasoning_content", "reasoning", "refusal"] as const;

/** Everything a choice says, to be counted: of a chunk (`delta`), a whole answer (`message`), or the older
 *  completions (`text`). Calls of tools are output too. */
export function outputOf(choice: Readonly<Record<string, unknown>>): string {
  const said = choice["delta"] ?? choice["message"];
  if (!isObject(said)) return typeof choice["text"] === "string" ? choice["text"] : "";
  let text = "";
  for (const field of TEXT_FIELDS) {
    const value = said[field];
    if (typeof value === "string") text += value;
    else if (Array.isArray(value)) text += value.map(textOfPart).join("");
  }
  if (Array.isArray(said["tool_calls"])) for (const call of said["tool_calls"]) text += callOf(call);
  return text + functionOf(said["function_call"]);
}

function textOfPart(part: unknown): string {
  return isObject(part) && typeof part["text"] === "string" ? part["text"] : "";
}

function callOf(call: unknown): string {
  return isObject(call) ? functionOf(call["function"]) : "";
}

function functionOf(called: unknown): string {
  if (!isObject(called)) return "";
  const { name, arguments: json } = called;
  return (typeof name === "string" ? name : "") + (typeof json === "string" ? json : "");
}
