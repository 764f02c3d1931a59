/** Values of this process, the least recently used leaving first. An optimisation only: whatever it says may be as old
 *  as `lifetimeMilliseconds`, and it may forget anything at any time. */
export interface Cache<Value> {
  /** What is known, or what `load` says. Several who miss at once load once; a failed load is not remembered. */
  get(key: string, load: () => Promise<Value>): Promise<Value>;
  /** Believes `value` while `work` makes it true elsewhere, and afterwards only if that went well and nobody else has
   *  changed the same key meanwhile: whose change came last, only the database knows. */
  during(key: string, value: Value, work: () => Promise<void>): Promise<void>;
  counts(): { readonly hits: number; readonly misses: number };
}

interface Entry<Value> {
  readonly value: Promise<Value>;
  readonly untilMilliseconds: number;
}

export interface CacheSettings {
  readonly limit: number;
  readonly lifetimeMilliseconds: number;
  /** Real time: what other processes do is not on the engine's clock. */
  readonly elapsedMilliseconds?: () => number;
}

export function openCache<Value>(settings: CacheSettings): Cache<Value> {
  const { limit, lifetimeMilliseconds, elapsedMilliseconds = () => performance.now() } = settings;
  const entries = new Map<string, Entry<Value>>();
  let hits = 0;
  let misses = 0;

  const put = (key: string, value: Promise<Value>): Entry<Value> => {
    const entry = { value, untilMilliseconds: elapsedMilliseconds() + lifetimeMilliseconds };
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > limit) entries.delete(entries.keys().next().value!);
    return entry;
  };
  const dropUnless = (isGood: boolean, key: string, entry: Entry<Value>) => {
    const present = entries.get(key);
    if (present !== entry || !isGood) entries.delete(key);
  };

  return {
    get: async (key, load) => {
      const known = entries.get(key);
      if (known !== undefined && elapsedMilliseconds() < known.untilMilliseconds) {
        hits++;
        entries.delete(key);
        entries.set(key, known);
        return known.value;
      }
      misses++;
      const entry = put(key, load());
      try {
        return await entry.value;
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key);
        throw error;
      }
    },
    during: async (key, value, work) => {
      const entry = put(key, Promise.resolve(value));
      let isDone = false;
      try {
        await work();
        isDone = true;
      } finally {
        dropUnless(isDone, key, entry);
      }
    },
    counts: () => ({ hits, misses }),
  };
}
