/** What a person sees of the account while an agent works. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type PayingWorld, startPayingWorld } from "../../../server/test/paying-world.ts";
import { bursar } from "../testing/bursar.ts";
import { openTerminal } from "../testing/terminal.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld();
});
afterAll(() => world.close());

const environmentOf = (key: string, home: string) => ({
  BURSAR_URL: world.url,
  BURSAR_API_KEY: key,
  XDG_STATE_HOME: home,
});

it("balance, warnings, purchases and top-ups appear while the run goes on, and not only at its end", async () => {
  await using project = await projectFolder();
  const account = await world.account("150");
  const environment = environmentOf(account.key, project.path);
  using terminal = openTerminal(["agent", "--yes", "run sleep 60"], { folder: project.path, environment });
  await terminal.see("$ sleep 60");
  await account.post("/v1/spend", { id: "elsewhere", amount: "140" });
  await terminal.see("Only 9.");
  await account.post("/v1/purchases", { pack: "credits-1000", currency: "eur" });
  await world.settle();
  await terminal.see("1,000 credits were bought.");
  // Another push, which comes before or after.
  await vi.waitFor(() => expect(terminal.shown()).toMatch(/Balance: 1,009\.\d+ credits\./), PATIENCE);
  await account.policy({ threshold: "1500" });
  await world.advance(20);
  await terminal.see("credits were bought by auto top-up.");
  expect(terminal.shown()).not.toContain("in total\n");
  terminal.type("\x1b");
  await terminal.see("Ended early (cancelled)");
  expect(await terminal.exited).toBe(130);
  // Each was said once.
  expect(terminal.shown().split("were bought").length).toBe(3);
});

it("a card that is declined in the middle is said at once, and with --json is a line", async () => {
  await using project = await projectFolder();
  const account = await world.account("150", "pm_card_chargeCustomerFail");
  const environment = environmentOf(account.key, project.path);
  await account.policy();
  const order = "run touch begun; while [ ! -f go ]; do sleep 0.1; done";
  const running = bursar(["agent", "--json", "--yes", order], { folder: project.path, environment });
  await vi.waitFor(() => project.text("begun"), PATIENCE);
  await world.advance(20);
  await vi.waitFor(async () => expect((await account.attempts())[0]!["state"]).toBe("failed"), PATIENCE);
  await writeFile(join(project.path, "go"), "");
  const { stdout, code } = await running;
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect([code, lines.at(-1)!["ended"]]).toEqual([0, "complete"]);
  const failed = lines.findIndex(({ type, state }) => type === "payment" && state === "failed");
  expect(lines[failed]).toMatchObject({ kind: "topup", message: expect.stringMatching(/declined/i) });
  expect(failed).toBeLessThan(lines.findIndex(({ type }) => type === "agent-ended"));
});
