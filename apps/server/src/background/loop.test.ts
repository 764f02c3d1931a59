import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { startLoop } from "./loop.ts";

it("tells the same failure once while it lasts, another one at once, and the first again after a success", async () => {
  const told: string[] = [];
  const warn = ({ err }: { err?: Error }) => told.push(err!.message);
  const log = { info: () => undefined, warn, error: () => undefined };
  const outcomes = ["away", "away", "away", "full", "away", "", "away"];
  const run = async () => {
    await delay(0);
    const message = outcomes.shift();
    if (message) throw new Error(message);
    return 0;
  };
  const loop = startLoop({ name: "test", run }, log);
  while (outcomes.length > 0) await loop.runNow();
  await loop.stop();
  expect(told).toEqual(["away", "full", "away", "away"]);
});
