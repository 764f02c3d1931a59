/** `npm run bench -- <name>…`: each measurement is one file here and prints JSON lines; ratios are from one run. */
const MEASUREMENTS = {
  ledger: () => import("./ledger.ts"),
} satisfies Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>>;

const [name, ...args] = process.argv.slice(2);
const load =
  name === undefined ? undefined : (MEASUREMENTS as Record<string, (typeof MEASUREMENTS)["ledger"]>)[name];
if (load === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(MEASUREMENTS).join("|")} [--seconds 10]\n`);
  process.exitCode = 2;
} else {
  const measurement = await load();
  await measurement.run(args);
}
