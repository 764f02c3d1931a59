import type { GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { OpenGrant } from "./account.ts";
import type { GrantSource } from "./kinds.ts";

const ENDED = " ended";

/** After eight fields: a feature may bear that name, too. */
const MARKED = /((?:^|;)[^ ;]+(?: [^ ;]+){7}) ended(?=;|$)/g;

/** What the entries alone tell of these grants: rows from before grants were marked as ended say no more. */
export function withoutEnds(text: string): string {
  return text.replace(MARKED, "$1");
}

/** The grants column of an account: one grant between semicolons, its fields between spaces, "-" for none:
 *  `id source remaining held priority expiresAt allocatedAt scope`, times in microseconds, scope by commas; after
 *  it "ended" for one that has been ended and is held in part.
 *  Neither ids nor features can hold a space, comma or semicolon. Half the size of JSON and nothing to escape, in the
 *  one column that every command reads and writes. */
export function grantsToText(grants: readonly OpenGrant[]): string {
  let text = "";
  for (const { id, source, remaining, held, priority, expiresAt, allocatedAt, scope, ended } of grants) {
    const limits = `${priority} ${expiresAt ?? "-"} ${allocatedAt} ${scope === null ? "-" : scope.join(",")}${ended === true ? ENDED : ""}`;
    text += `${text === "" ? "" : ";"}${id} ${source} ${remaining} ${held} ${limits}`;
  }
  return text;
}

export function grantsFromText(text: string): OpenGrant[] {
  return text === "" ? [] : text.split(";").map(grantFromText);
}

function grantFromText(text: string): OpenGrant {
  const [id, source, remaining, held, priority, expiresAt, allocatedAt, scope, ended] = text.split(" ");
  const grant: OpenGrant = {
    id: id as GrantId,
    source: source as GrantSource,
    remaining: BigInt(remaining!),
    held: held === "0" ? 0n : BigInt(held!),
    priority: Number(priority),
    expiresAt: expiresAt === "-" ? null : (Number(expiresAt) as Instant),
    allocatedAt: Number(allocatedAt) as Instant,
    scope: scope === "-" ? null : scope!.split(","),
  };
  return ended === undefined ? grant : { ...grant, ended: true };
}
