import type { GrantId } from "@bursar/contract/ids";
import { type Instant, parsePostgresTimestamp } from "@bursar/contract/instant";
import { compareGrants, type Draw, type OpenGrant } from "./account.ts";
import { arrivalFromText, type ReadEntry } from "./entry.ts";
import { grantsToText } from "./grants-text.ts";
import { isTransfer, TRANSFERS } from "./kinds.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The grants of an account as its entries alone tell them. */
export class GrantReplay {
  readonly #grants = new Map<GrantId, Mutable<OpenGrant> & { readonly granted: bigint }>();
  readonly #problem: (message: string) => void;

  constructor(problem: (message: string) => void) {
    this.#problem = problem;
  }

  add(entry: ReadEntry): void {
    if (!isTransfer(entry.kind)) return;
    if (entry.kind === "grant" || (entry.kind === "adjust" && entry.amount > 0n)) return this.#arrive(entry);
    if (entry.parentId !== null && entry.kind !== "settle") return;
    for (const draw of entry.draws) this.#draw(draw, entry);
  }

  /** What the account's row must say. */
  openGrants(): string {
    const open = [...this.#grants.values()].filter((grant) => grant.remaining !== 0n || grant.held !== 0n);
    return grantsToText(open.sort(compareGrants));
  }

  /** What the grants table must say: one line a grant. */
  arrivals(): string[] {
    return [...this.#grants.values()].map(({ id, source, granted, priority, expiresAt, scope }) =>
      arrivalLine(id, source, granted, priority, expiresAt, scope),
    );
  }

  #arrive({ draws, decision, expiresAt, atText }: ReadEntry): void {
    const { source, priority, scope } = arrivalFromText(decision);
    for (const [id, granted] of draws) {
      const terms = { id, source, priority, scope, expiresAt, allocatedAt: parsePostgresTimestamp(atText) };
      this.#grants.set(id, { ...terms, granted, remaining: granted, held: 0n });
    }
  }

  #draw([id, amount]: Draw, { kind, atText }: ReadEntry): void {
    const grant = this.#grants.get(id);
    if (grant === undefined) return this.#problem(`grant ${id} gives, and never arrived`);
    const effect = kind === "adjust" ? "take" : isTransfer(kind) ? TRANSFERS[kind].grants : "none";
    if (effect === "take" || effect === "end" || effect === "reserve") grant.remaining -= amount;
    if (effect === "end") grant.ended = true;
    if (effect === "reserve") grant.held += amount;
    if (effect === "consume" || effect === "return") grant.held -= amount;
    if (effect === "return") grant.remaining += amount;
    if (grant.remaining < 0n) this.#problem(`grant ${id} gives more than it was granted`);
    if (grant.held < 0n) this.#problem(`grant ${id} takes back more than it gave`);
    const isLate = GIVES_IN_TIME.has(kind) && isPast(grant.expiresAt, atText);
    if (isLate) this.#problem(`grant ${id} gives after its expiry`);
  }
}

function isPast(expiresAt: Instant | null, atText: string): boolean {
  return expiresAt !== null && parsePostgresTimestamp(atText) >= expiresAt;
}

const GIVES_IN_TIME: ReadonlySet<string> = new Set(["repay", "hold", "extend", "spend"]);

export function arrivalLine(
  id: string,
  source: string,
  granted: bigint,
  priority: number,
  expiresAt: Instant | null,
  scope: readonly string[] | null,
): string {
  return [id, source, granted, priority, expiresAt ?? "-", scope === null ? "-" : scope.join(",")].join(" ");
}

/** The same, of a row of the grants table as `COPY` prints it after the account: id, source, granted, priority,
 *  expires_at, scope. */
export function arrivalLineOfRow(columns: readonly string[]): string {
  const [id, source, granted, priority, expiresAt, scope] = columns;
  const expiry = expiresAt === "\\N" ? null : parsePostgresTimestamp(expiresAt!);
  const features = scope === "\\N" ? null : (JSON.parse(scope!) as string[]);
  return arrivalLine(id!, source!, BigInt(granted!), Number(priority), expiry, features);
}
