/** A process that dies at its n-th step: before or after a statement, a command of the ledger or a call of the payment
 *  provider. From then on it does nothing more, and whatever it had begun in the database is rolled back. */
import type { AdvanceDeps } from "@bursar/engine/payment/advance";

export class Death extends Error {
  override readonly name = "Death";
}

export type Mortality =
  /** 1 is the first step. */
  | { readonly step: number; readonly when: "before" | "after" }
  /** Right before the first call of this name. */
  | { readonly call: string };

export function mortal<Deps extends AdvanceDeps>(deps: Deps, mortality: Mortality) {
  let steps = 0;
  let isDead = false;
  const live = async <Answer>(name: PropertyKey, call: () => Promise<Answer>): Promise<Answer> => {
    if (isDead) throw new Death();
    steps++;
    const isFatal = "call" in mortality ? mortality.call === name : mortality.step === steps;
    if (isFatal && ("call" in mortality || mortality.when === "before")) {
      isDead = true;
      throw new Death();
    }
    const answer = await call();
    if (!isFatal) return answer;
    isDead = true;
    throw new Death();
  };
  /** Every method of it is a step, except those that hand out something whose methods are. */
  const wrapped = <Target extends object>(target: Target, replaced: Partial<Target> = {}): Target =>
    new Proxy(target, {
      get: (object, name) => {
        if (Object.hasOwn(replaced, name)) return replaced[name as keyof Target];
        const value: unknown = Reflect.get(object, name, object);
        if (typeof value !== "function" || name === "release" || name === "subjectOf") return value;
        return (...given: unknown[]) =>
          live(name, () => Promise.resolve(Reflect.apply(value, object, given) as unknown));
      },
    });
  const { pool, ledger, payments } = deps;
  const connect = async () => wrapped(await live("connect", () => pool.connect()));
  const dying: Deps = {
    ...deps,
    pool: wrapped(pool, { connect: connect as typeof pool.connect }),
    ledger: wrapped(ledger),
    payments: wrapped(payments),
  };
  return { deps: dying, hasDied: () => isDead };
}
