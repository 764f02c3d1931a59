import { Session } from "node:inspector/promises";
import { openBenchDatabase } from "../database.ts";
import { seedAccounts, spend } from "../ledger.ts";
import { measureCallers, randomIntegers } from "../measure.ts";

const N = 20000;
const db = await openBenchDatabase(3);
try {
  await seedAccounts(db, N);
  const random = randomIntegers(7);
  await measureCallers(512, 2, () => spend(db, random(N)));
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: 16384,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  } as never);
  const r = await measureCallers(512, 3, () => spend(db, random(N)));
  const { profile } = (await session.post("HeapProfiler.stopSampling")) as any;
  const self = new Map<string, number>();
  let total = 0;
  const walk = (n: any) => {
    const c = n.callFrame;
    const k = `${c.functionName || "(anon)"} ${c.url.replace(/.*\//, "")}:${c.lineNumber + 1}`;
    self.set(k, (self.get(k) ?? 0) + n.selfSize);
    total += n.selfSize;
    n.children.forEach(walk);
  };
  walk(profile.head);
  console.log("bytes per op", Math.round(total / r.count), r.perSecond);
  for (const [k, v] of [...self].sort((a, b) => b[1] - a[1]).slice(0, 42))
    console.log(String(Math.round(v / r.count)).padStart(6), k);
} finally {
  await db.close();
}
