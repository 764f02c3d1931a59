export interface Measured {
  readonly perSecond: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly count: number;
}

/** Runs `work` from this many callers, each as soon as its last call has answered, for this long. */
export async function measureCallers(
  callers: number,
  seconds: number,
  work: (caller: number) => Promise<unknown>,
): Promise<Measured> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  const call = async (caller: number) => {
    for (;;) {
      const before = performance.now();
      if (before >= end) return;
      await work(caller);
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return summarise(latencies, (performance.now() - start) / 1000);
}

export function summarise(latencies: number[], seconds: number): Measured {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return {
    perSecond: Math.round(latencies.length / seconds),
    p50Milliseconds: at(0.5),
    p99Milliseconds: at(0.99),
    count: latencies.length,
  };
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

export function report(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Seeded, so that two runs ask for the same accounts in the same order. */
export function randomIntegers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export function option(args: readonly string[], name: string, fallback: number): number {
  const at = args.indexOf(`--${name}`);
  const value = at === -1 ? fallback : Number(args[at + 1]);
  if (!Number.isFinite(value)) throw new Error(`--${name} needs a number`);
  return value;
}
