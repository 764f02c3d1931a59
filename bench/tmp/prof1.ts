import { execSync, spawn } from "node:child_process";
import { openBenchDatabase } from "/tmp/trees/lead/bench/database.ts";
import { seedAccounts, spend } from "/tmp/trees/lead/bench/ledger.ts";
import { measureCallers, randomIntegers } from "/tmp/trees/lead/bench/measure.ts";
import { createRawTable, rawUpdates } from "/tmp/trees/lead/bench/raw-update.ts";

const N = Number(process.env.N ?? 20000),
  C = Number(process.env.C ?? 512),
  L = Number(process.env.L ?? 2),
  S = Number(process.env.S ?? 5);
const db = await openBenchDatabase(L);
const cpuOf = () => {
  // cpu seconds of backends by application
  const out: Record<string, number> = {};
  for (const line of execSync("ps -eo pid,time,args --no-headers | grep -E 'postgres' | grep -v grep", {
    encoding: "utf8",
  }).split("\n")) {
    const m = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (!m) continue;
    const st = execSync(`cat /proc/${m[1]}/stat 2>/dev/null || true`, { encoding: "utf8" });
    if (!st) continue;
    const f = st.slice(st.lastIndexOf(")") + 2).split(" ");
    out[m[3]!.replace(/.*bursar:?\s*/, "").slice(0, 40) + " " + m[1]] = (Number(f[11]) + Number(f[12])) / 100;
  }
  return out;
};
try {
  await seedAccounts(db, N);
  await db.pool.query("vacuum analyze accounts");
  const random = randomIntegers(7);
  await measureCallers(C, 2, () => spend(db, random(N)));
  await createRawTable(db.url, Math.max(N, 1));
  const raw = process.env.RAW ? await rawUpdates(db.url, N, 32, 4) : null;
  await measureCallers(C, 2, () => spend(db, random(N)));
  const before = cpuOf();
  const nb = process.cpuUsage();
  const r = await measureCallers(C, S, () => spend(db, random(N)));
  const na = process.cpuUsage(nb);
  const after = cpuOf();
  const diff = Object.fromEntries(
    Object.entries(after)
      .map(([k, v]) => [k, Math.round((((v - (before[k] ?? 0)) * 1e6) / r.count) * 10) / 10])
      .filter(([, v]) => (v as number) > 0.3),
  );
  const b64 = cpuOf();
  const n64 = process.cpuUsage();
  setTimeout(async () => {
    const { rows } = await db.pool.query(
      "select backend_type, left(query,60) q, wait_event from pg_stat_activity where backend_type ~ 'autovac|checkp' or application_name ~ 'bench'",
    );
    console.log(rows.map((r: any) => r.backend_type + "|" + r.q + "|" + r.wait_event).join("\n"));
  }, 1500);
  const r64 = await measureCallers(64, 3, () => spend(db, random(N)));
  const a64 = cpuOf();
  const m64 = process.cpuUsage(n64);
  console.log(
    "cpu64 node",
    (m64.user + m64.system) / r64.count,
    Object.fromEntries(
      Object.entries(a64)
        .map(([k, v]) => [k, Math.round((((v - (b64[k] ?? 0)) * 1e6) / r64.count) * 10) / 10])
        .filter(([, v]) => (v as number) > 0.3),
    ),
    "p50",
    r64.p50Milliseconds,
  );
  const raw64 = process.env.RAW ? await rawUpdates(db.url, N, 64, 3, true) : null;
  console.log(
    "p99@64",
    r64.p99Milliseconds,
    "rate",
    r64.perSecond,
    "raw64",
    raw64?.p99Milliseconds,
    raw64?.perSecond,
  );
  console.log(
    JSON.stringify(
      {
        N,
        raw: raw?.perSecond,
        ratio: raw && r.perSecond / raw.perSecond,
        C,
        L,
        ...r,
        nodeMicros: (na.user + na.system) / r.count,
        pg: diff,
      },
      null,
      1,
    ),
  );
} finally {
  await db.close();
}
