/** `npm run bench -- <name>…`: each measurement is one file here and prints JSON lines; ratios are from one run. */
interface Measurement {
  run(args: readonly string[]): Promise<void>;
}

const MEASUREMENTS = {
  ledger: () => import("./ledger.ts"),
  growth: () => import("./growth.ts"),
  http: () => import("./http.ts"),
  gateway: () => import("./gateway.ts"),
  sockets: () => import("./sockets.ts"),
  start: () => import("./start.ts"),
  verify: () => import("./verify.ts"),
} satisfies Record<string, () => Promise<Measurement>>;

const [name, ...args] = process.argv.slice(2);
const load =
  name === undefined ? undefined : (MEASUREMENTS as Record<string, () => Promise<Measurement>>)[name];
if (load === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(MEASUREMENTS).join("|")} [--seconds 10]\n`);
  process.exitCode = 2;
} else {
  const measurement = await load();
  await measurement.run(args);
}
