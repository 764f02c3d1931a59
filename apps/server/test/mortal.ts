/** A process that dies at its n-th step: before or after a statement, a command of the ledger, a call of the payment
 *  provider, or of what reads prices and keeps secrets. From then on it does nothing more, and whatever it had begun in
 *  the database is rolled back. */
import type { AdvanceDeps } from "@bursar/engine/payment/deps";

export class Death extends Error {
  override readonly name = "Death";
}

export type Mortality =
  /** 1 is the first step. `effects`: only what changes something outside of the process counts as one; to die before a
   *  read is to die after the effect before it. */
  | { readonly step: number; readonly when: "before" | "after"; readonly counts?: "effects" | "everything" }
  /** Right before the first call of this name. */
  | { readonly call: string };

/** The provider's, the ledger's and the secrets' that change something. */
const EFFECTS: ReadonlySet<PropertyKey> = new Set([
  "submit",
  "write",
  "createCustomer",
  "attach",
  "setDefault",
  "detach",
  "setupPage",
  "charge",
  "authenticationPage",
  "cancel",
  "openCheckout",
  "refund",
]);

/** What a transaction has written before its commit is as if it never were. */
function isEffect(name: PropertyKey, [first]: readonly unknown[], isInTransaction: boolean): boolean {
  if (name !== "query") return EFFECTS.has(name);
  const write = isInTransaction ? /^commit$/i : /^\s*(insert|update|delete)\b/i;
  return write.test(String(first));
}

/** Of these either nothing is left, or what they hand out says what they did. */
const NO_STEPS: ReadonlySet<PropertyKey> = new Set(["release", "subjectOf", "verifyEvent", "eventsSince"]);

interface Call {
  readonly name: PropertyKey;
  readonly given: readonly unknown[];
  readonly isInTransaction: boolean;
  readonly work: () => Promise<unknown>;
}

type Mortals = AdvanceDeps & { readonly secrets?: object; readonly prices?: object };

export function mortal<Deps extends Mortals>(deps: Deps, mortality: Mortality) {
  const { pool, ledger, payments, secrets, prices } = deps;
  let steps = 0;
  let deadAt: string | null = null;
  const doOnce = async (call: Call): Promise<unknown> => {
    if (deadAt !== null) throw new Death();
    const { name, given, work } = call;
    const isByName = "call" in mortality;
    if (!isByName && mortality.counts === "effects" && !isEffect(name, given, call.isInTransaction))
      return work();
    steps++;
    const isFatal = isByName ? mortality.call === name : mortality.step === steps;
    if (!isFatal) return work();
    const when = isByName ? "before" : mortality.when;
    deadAt = `${when} step ${steps}, ${String(name)} ${typeof given[0] === "string" ? given[0].slice(0, 60) : ""}`;
    if (when === "after") await work();
    throw new Death();
  };
  /** Every method of it is a step, except those that hand out something whose methods are, and what does nothing. */
  const wrapped = <Target extends object>(target: Target, replaced: Partial<Target> = {}): Target =>
    new Proxy(target, {
      get: (object, name) => {
        if (Object.hasOwn(replaced, name)) return replaced[name as keyof Target];
        const value: unknown = Reflect.get(object, name, object);
        if (typeof value !== "function" || NO_STEPS.has(name)) return value;
        const isInTransaction = object !== pool && "release" in object;
        return (...given: unknown[]) => {
          const work = () => Promise.resolve(Reflect.apply(value, object, given) as unknown);
          return doOnce({ name, given, isInTransaction, work });
        };
      },
    });
  // No step: it leaves nothing behind but the connection, which nobody would give back.
  const connect = async () => {
    if (deadAt !== null) throw new Death();
    return wrapped(await pool.connect());
  };
  const dying: Deps = {
    ...deps,
    pool: wrapped(pool, { connect: connect as typeof pool.connect }),
    ledger: wrapped(ledger),
    payments: wrapped(payments),
    ...(secrets === undefined ? {} : { secrets: wrapped(secrets) }),
    ...(prices === undefined ? {} : { prices: wrapped(prices) }),
  };
  return { deps: dying, hasDied: () => deadAt !== null, diedAt: () => deadAt };
}
