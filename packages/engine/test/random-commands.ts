/** Random commands that are likely to matter: few accounts, small amounts, the same ids again, and times on the very
 *  microsecond of an expiry. An `Op` is plain numbers, so that fast-check can shrink it; `Play` turns it into a
 *  command by looking at what the model has by then. */
import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import fc from "fast-check";
import type { Cap, Command, CommandKind } from "../src/ledger/command.ts";
import { ModelAccount } from "./reference-model.ts";

export interface Op {
  readonly kind: (typeof KINDS)[number];
  readonly account: number;
  readonly amount: number;
  readonly pick: number;
  readonly flags: number;
}

const KINDS = [
  ...(["grant", "spend", "hold", "extend", "settle", "release", "revoke", "adjust"] as const),
  ...([
    "freeze",
    "unfreeze",
    "expireGrant",
    "expireHold",
    "repeat",
    "mutate",
    "time",
    "sweep",
    "child",
  ] as const),
];

const WEIGHTS: Partial<Record<Op["kind"], number>> = {
  grant: 6,
  spend: 6,
  hold: 10,
  child: 6,
  extend: 6,
  settle: 5,
  release: 3,
  repeat: 4,
  mutate: 3,
  time: 6,
  revoke: 2,
  adjust: 2,
  expireHold: 2,
  expireGrant: 2,
  unfreeze: 2,
};

export const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.oneof(...KINDS.map((kind) => ({ weight: WEIGHTS[kind] ?? 1, arbitrary: fc.constant(kind) }))),
  account: fc.nat({ max: 2 }),
  amount: fc.nat({ max: 20 }),
  pick: fc.nat({ max: 1000 }),
  flags: fc.nat({ max: 4095 }),
});

export const START = 1_790_000_000_000_000 as Instant;
const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;
/** How far the clocks of several processes are apart. */
const BEHIND = 5 * SECOND;

const FEATURES = [undefined, undefined, "chat", "image"] as const;
const SCOPES = [null, null, null, ["chat"], ["image", "chat"]] as const;
const LIFETIMES = [0, 1, 2, 3 * SECOND, 3 * SECOND, 60 * SECOND, DAY];
const CAPS: readonly Cap[] = [
  { id: "cap_total", limit: 50n, window: "total" },
  { id: "cap_day", limit: 20n, window: "day" },
  { id: "cap_month", limit: 35n, window: "month" },
];

/** One run: the clock, the model of every account, and all commands so far. */
export class Play {
  now: Instant = START;
  #latest: Instant = START;
  readonly accountIds: readonly AccountId[];
  readonly models = new Map<AccountId, ModelAccount>();
  readonly commands: Command[] = [];
  #made = 0;

  constructor(prefix: string) {
    this.accountIds = ["a", "b", "c"].map((name) => `${prefix}_${name}` as AccountId);
    for (const id of this.accountIds) this.models.set(id, new ModelAccount());
  }

  /** The commands of an op; none for one that only moves the clock or finds nothing to name. */
  commandsOf(op: Op): Command[] {
    if (op.kind === "time") {
      this.#moveClock(op);
      return [];
    }
    const commands = op.kind === "sweep" ? this.#sweep() : this.#named(op);
    this.commands.push(...commands);
    return commands;
  }

  #named(asked: Op): Command[] {
    const accountId = this.#accountFor(asked);
    const model = this.models.get(accountId)!;
    // Without credits nothing interesting happens.
    const op =
      model.state.grants.length === 0 && asked.pick % 4 !== 0 ? { ...asked, kind: "grant" as const } : asked;
    const bit = (index: number) => ((op.flags >> index) & 1) === 1;
    const base = { accountId, by: "test" };
    const id = `${op.kind}_${++this.#made}`;
    const feature = FEATURES[op.flags % FEATURES.length];
    const amount = amountOf(op);
    const caps = bit(4) || bit(5) ? [CAPS[op.pick % CAPS.length]!] : undefined;
    const open = model.state.holds.filter((hold) => hold.open);
    const holds = bit(6) || bit(7) || bit(8) ? open : model.state.holds;
    const holdId = (op.pick % 37 === 0 ? "hold_none" : (at(holds, op.pick)?.id ?? "hold_none")) as never;
    const grantId = (at(model.state.grants, op.pick)?.id ?? "grant_none") as never;
    const expiresAt = (this.now + LIFETIMES[op.pick % LIFETIMES.length]!) as Instant;
    switch (op.kind) {
      case "grant": {
        const limits = {
          source: "promo",
          priority: [20, 50, 50, 80][op.flags % 4]!,
          expiresAt: bit(2) ? expiresAt : null,
          scope: SCOPES[op.pick % SCOPES.length]!,
        } as const;
        return [
          {
            ...base,
            kind: "grant",
            id: id as never,
            amount,
            ...limits,
            metadata: bit(9) ? { n: 1 } : undefined,
          },
        ];
      }
      case "spend":
        return [{ ...base, kind: "spend", id, amount, feature, caps }];
      case "hold":
        if (bit(9) && bit(10))
          return [{ ...base, kind: "hold", id: id as never, amount, expiresAt: null, grantId }];
        return [
          { ...base, kind: "hold", id: id as never, amount, expiresAt, feature, caps, isLate: bit(10) },
        ];
      case "child": {
        const small = amount > 3n ? amount / 3n : amount;
        return [
          {
            ...base,
            kind: "hold",
            id: id as never,
            amount: small,
            expiresAt,
            feature,
            caps,
            parentId: holdId,
          },
        ];
      }
      case "extend": {
        const renewed = bit(9) ? expiresAt : undefined;
        const reported = bit(10) ? BigInt(op.pick % 25) : undefined;
        return [
          {
            ...base,
            kind: "extend",
            id,
            holdId,
            amount: bit(11) ? 0n : amount,
            expiresAt: renewed,
            reported,
            caps,
          },
        ];
      }
      case "settle":
        return [
          {
            ...base,
            kind: "settle",
            holdId,
            amount: amountAround(model, holdId, op),
          },
        ];
      case "release":
        return [{ ...base, kind: "release", holdId }];
      case "revoke":
        return [{ ...base, kind: "revoke", id, grantId, amount }];
      case "adjust":
        return [{ ...base, kind: "adjust", id, amount: bit(9) ? -amount : amount, note: "because" }];
      case "freeze":
      case "unfreeze":
        return [{ ...base, kind: op.kind, id, note: "because" }];
      case "expireGrant":
        return [{ ...base, kind: "expire", grantId }];
      case "expireHold":
        return [{ ...base, kind: "expire", holdId }];
      case "repeat": {
        const past = at(this.commands, op.pick);
        return past === undefined ? [] : [{ ...past, by: "again" }];
      }
      case "mutate": {
        const past = at(this.commands, op.pick);
        return past === undefined ? [] : [mutated(past, bit(0))];
      }
      case "time":
      case "sweep":
        return [];
    }
  }

  /** Most ops on holds go to an account that has any. */
  #accountFor({ kind, account, pick }: Op): AccountId {
    const asked = this.accountIds[account]!;
    if (!["extend", "settle", "release", "child", "expireHold"].includes(kind) || pick % 13 === 0)
      return asked;
    const withHolds = this.accountIds.filter((id) =>
      this.models.get(id)!.state.holds.some((hold) => hold.open),
    );
    return at(withHolds, account) ?? asked;
  }

  /** What the sweep would send: everything that is due. */
  #sweep(): Command[] {
    return this.accountIds.flatMap((accountId) => {
      const { grants, holds } = this.models.get(accountId)!.state;
      const isDue = ({ expiresAt }: { expiresAt: number | null }) =>
        expiresAt !== null && expiresAt <= this.now;
      const base = { kind: "expire", accountId, by: "system:sweep" } as const;
      return [
        ...grants.filter(isDue).map(({ id }) => ({ ...base, grantId: id as never })),
        ...holds
          .filter((hold) => hold.open && isDue(hold))
          .map(({ id }) => ({ ...base, holdId: id as never })),
      ];
    });
  }

  #moveClock({ pick, flags, amount }: Op): void {
    const states = [...this.models.values()].flatMap(({ state }) => [...state.grants, ...state.holds]);
    const ends = states.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [expiresAt]));
    const next = at(
      [...new Set(ends)].sort((a, b) => a - b),
      pick,
    );
    const jumps = [1, amount * SECOND, DAY / 2, 16 * DAY];
    const target =
      next !== undefined && flags % 4 !== 0
        ? next + ((flags >> 2) % 3) - 1
        : this.#latest + jumps[(flags >> 2) % 4]!;
    // The next command may be another process's, whose clock is behind.
    this.now = Math.max(this.#latest - BEHIND, target) as Instant;
    this.#latest = Math.max(this.#latest, this.now) as Instant;
  }
}

function at<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(list.length, 1)];
}

function amountOf({ amount, flags, kind }: Op): bigint {
  if (kind === "grant" && amount > 0) return BigInt(amount * 5);
  if ((flags & 0b111111) === 0b111110) return [-1n, 1_000_000_000_000_001n][amount % 2]!;
  return BigInt(amount);
}

/** Below, exactly at, and beyond what was held. */
function amountAround(model: ModelAccount, holdId: string, { amount, flags }: Op): bigint {
  const hold = model.state.holds.find(({ id }) => id === holdId);
  const held = [...(hold?.parts.values() ?? [])].reduce((total, part) => total + part, 0n);
  switch (flags % 5) {
    case 0:
      return held;
    case 1:
      return held > 0n ? held - 1n : 0n;
    case 2:
      return held + 1n;
    default:
      return BigInt(amount);
  }
}

/** The same key with another body. */
function mutated(command: Command, byAmount: boolean): Command {
  if (command.kind === "grant" && byAmount) return { ...command, priority: command.priority + 1 };
  if (byAmount && "amount" in command) return { ...command, amount: command.amount + 1n };
  return { ...command, metadata: { changed: true } };
}

export const ALL_KINDS: readonly CommandKind[] = [
  ...(["grant", "spend", "hold", "extend", "settle", "release"] as const),
  ...(["expire", "revoke", "adjust", "freeze", "unfreeze"] as const),
];
