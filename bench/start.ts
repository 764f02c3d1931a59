import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { option, report } from "./measure.ts";
import { startServer } from "./server.ts";

/** From starting the process to its first answered request: cold (a new data folder) and warm. */
export async function run(args: readonly string[]): Promise<void> {
  const times = option(args, "times", 5);
  for (let turn = 0; turn < times; turn += 1) {
    const folder = await mkdtemp(join(tmpdir(), "bursar-start-"));
    const coldMilliseconds = await measure(folder);
    const warmMilliseconds = await measure(folder);
    report({ bench: "start to first answer", coldMilliseconds, warmMilliseconds });
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string): Promise<number> {
  const start = performance.now();
  const server = await startServer(folder);
  await (await fetch(`${server.url}/health`)).text();
  const milliseconds = Math.round(performance.now() - start);
  await server.close();
  return milliseconds;
}
