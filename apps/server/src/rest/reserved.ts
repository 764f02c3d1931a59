import { reservedStart } from "@bursar/contract/ids";
import type { Principal } from "@bursar/engine/key/principal";
import type { Problem } from "./problem.ts";

/** null: the caller may use the id for work of their own. Administrators give and take credits under any id. */
export function reservedId(
  { kind }: Pick<Principal, "kind">,
  id: string | undefined,
  param: string,
): Problem | null {
  const start = kind === "admin" || id === undefined ? null : reservedStart(id);
  return start === null
    ? null
    : { problem: "invalid_request", message: `${param}: ${ruleAgainst(start)}`, param };
}

export function ruleAgainst(start: string): string {
  return `must not begin with "${start}", as the ids of credits do that come or go by themselves`;
}
