import { invalid } from "../refusal.ts";
import type { State } from "../state.ts";
import type { FormValue } from "./form.ts";

type Json = Record<string, unknown>;

/** What an object leaves out unless it is asked for, by the name of the object and then of the field. */
export type Includable = Readonly<
  Record<string, Readonly<Record<string, (state: State, object: Json) => unknown>>>
>;

const DEEPEST = 4;

/** A copy in which the ids that `expand` names are the objects. Throws a refusal: not expandable, too deep. */
export function expanded(
  state: State,
  includable: Includable,
  object: object,
  expand: FormValue | undefined,
): object {
  const copy = structuredClone(object);
  for (const path of pathsOf(expand)) {
    const parts = path.split(".");
    if (parts.length > DEEPEST) {
      throw invalid(`You cannot expand more than ${DEEPEST} levels of a property: ${path}`, "expand");
    }
    follow(state, includable, copy as Json, parts);
  }
  return copy;
}

function pathsOf(expand: FormValue | undefined): string[] {
  if (expand === undefined) return [];
  if (Array.isArray(expand) && expand.every((path) => typeof path === "string")) return expand;
  throw invalid("Invalid array", "expand");
}

function follow(state: State, includable: Includable, object: Json, parts: readonly string[]): void {
  const [name, ...rest] = parts;
  if (name === undefined) return;
  if (object["object"] === "list") {
    if (name !== "data") throw notExpandable(name);
    for (const item of object["data"] as Json[]) follow(state, includable, item, rest);
    return;
  }
  const include = includable[String(object["object"])]?.[name];
  if (include !== undefined) object[name] ??= structuredClone(include(state, object));
  const value = object[name];
  if (value === undefined) throw notExpandable(name);
  if (value === null) return;
  const inner = typeof value === "string" ? objectWith(state, value) : value;
  if (inner === null || typeof inner !== "object") throw notExpandable(name);
  object[name] = inner;
  follow(state, includable, inner as Json, rest);
}

function notExpandable(name: string) {
  return invalid(`This property cannot be expanded (${name}).`, "expand");
}

/** Ids tell by their beginning what they are; maps of state are few enough to look into each. */
function objectWith(state: State, id: string): object | null {
  for (const map of Object.values(state)) {
    const found = (map as Map<string, unknown>).get(id);
    if (typeof found === "object" && found !== null && "object" in found) return structuredClone(found);
  }
  return null;
}
