import { invalid } from "../refusal.ts";

/** What a form says: text, or more of the same below names or numbers. */
export type FormValue = string | FormValue[] | { [name: string]: FormValue };
export type Form = { [name: string]: FormValue };

const DEEPEST = 8;
/** A larger index is no list but an attack on memory. */
const LONGEST = 1000;

/** Reads `a[b][0][c]=x` as Stripe does. Throws a refusal: a name that cannot be read, or that contradicts another. */
export function parseForm(text: string): Form {
  const root: Form = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) put(root, pathOf(name), value, name);
  return withLists(root) as Form;
}

function pathOf(name: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (match === null) throw invalid(`Invalid parameter name: ${name}`, name);
  const below = [...match[2]!.matchAll(/\[([^\]]*)\]/g)].map((part) => part[1]!);
  if (below.length > DEEPEST) throw invalid(`Parameter is nested too deeply: ${name}`, name);
  return [match[1]!, ...below];
}

function put(root: Form, path: readonly string[], value: string, name: string): void {
  let place = root;
  for (const part of path.slice(0, -1)) {
    const key = keyIn(place, part);
    const next = (place[key] ??= Object.create(null) as Form);
    if (typeof next === "string") throw invalid(`Invalid object: ${name} is also given as text`, name);
    place = next as Form;
  }
  place[keyIn(place, path.at(-1)!)] = value;
}

/** `[]` takes the next free number. */
function keyIn(place: Form, part: string): string {
  return part === "" ? String(Object.keys(place).length) : part;
}

/** Names that are 0, 1, 2, … in any order are a list. */
function withLists(value: FormValue): FormValue {
  if (typeof value === "string" || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withLists(inner)] as const);
  const isList = entries.length > 0 && entries.every(([key]) => /^\d+$/.test(key) && Number(key) < LONGEST);
  if (!isList) return Object.assign(Object.create(null) as Form, Object.fromEntries(entries));
  return entries.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, inner]) => inner);
}
