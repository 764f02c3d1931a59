import { readers, type Settings } from "./settings.ts";

export type DirectiveReading = { kind: "read"; settings: Settings } | { kind: "bad"; reason: string };

const opening = "[[sandbox:";

/** Reads every `[[sandbox: …]]` in a text, left to right; a later word wins over an earlier one.
 *  Outcomes, first match wins: bad (an unknown word, a value without sense, no closing brackets), read. */
export function readDirectives(text: string): DirectiveReading {
  const settings: Settings = {};
  for (let at = text.indexOf(opening); at !== -1; at = text.indexOf(opening, at)) {
    const end = readWords(text, at + opening.length, settings);
    if (typeof end === "string") return { kind: "bad", reason: end };
    if (!text.startsWith("]]", end))
      return { kind: "bad", reason: "A sandbox directive is not closed by ]]." };
    at = end + 2;
  }
  return { kind: "read", settings };
}

/** Reads the bare words of a fault, such as `status=429 retry_after=1`. */
export function readFaultWords(text: string): DirectiveReading {
  const settings: Settings = {};
  const end = readWords(text, 0, settings);
  if (typeof end === "string") return { kind: "bad", reason: end };
  if (end < text.length) return { kind: "bad", reason: `Unexpected text: ${text.slice(end)}` };
  return { kind: "read", settings };
}

/** The question as a person would read it, so that an answer can quote it. */
export function withoutDirectives(text: string): string {
  let plain = "";
  let from = 0;
  for (let at = text.indexOf(opening); at !== -1; at = text.indexOf(opening, from)) {
    const end = readWords(text, at + opening.length, {});
    if (typeof end === "string") break;
    plain += text.slice(from, at);
    from = end + 2;
  }
  return (plain + text.slice(from)).trim();
}

/** Where the words end, or the reason why they make no sense. */
function readWords(text: string, start: number, settings: Settings): number | string {
  const name = /[\s,]*([a-z_]+)/y;
  let at = start;
  for (;;) {
    name.lastIndex = at;
    const found = name.exec(text)?.[1];
    if (found === undefined) return skipSpace(text, at);
    at = name.lastIndex;
    const value = text[at] === "=" ? readValue(text, at + 1) : undefined;
    if (value) at = value.end;
    const reader = Object.hasOwn(readers, found) ? readers[found] : undefined;
    if (!reader) return `Unknown sandbox directive: ${found}. Known: ${Object.keys(readers).join(", ")}.`;
    if (!reader(settings, value?.text))
      return `Bad value for sandbox directive: ${found}=${value?.text ?? ""}`;
  }
}

function skipSpace(text: string, at: number): number {
  const space = /\s*/y;
  space.lastIndex = at;
  space.test(text);
  return space.lastIndex;
}

/** A JSON object, a quoted string, or anything up to white space or the closing bracket. */
function readValue(text: string, at: number): { text: string; end: number } {
  if (text[at] === "{") {
    const end = endOfObject(text, at);
    return { text: text.slice(at, end), end };
  }
  const pattern = text[at] === '"' ? /"((?:[^"\\]|\\[^])*)"/y : /([^\s\]]*)/y;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  const raw = match?.[1] ?? "";
  return { text: text[at] === '"' ? unescape(raw) : raw, end: at + (match?.[0].length ?? 0) };
}

function unescape(raw: string): string {
  return raw.replace(/\\([^])/g, (_, character: string) => (character === "n" ? "\n" : character));
}

/** Counts braces outside strings, since arguments may hold `]]` themselves. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (const match of text.slice(start).matchAll(/"(?:[^"\\]|\\[^])*"|[{}]/g)) {
    if (match[0] === "{") depth += 1;
    if (match[0] === "}") depth -= 1;
    if (depth === 0) return start + match.index + 1;
  }
  return text.length;
}
