import { afterAll, expect, test } from "vitest";
import { startSandboxWorld } from "./sandbox-world.ts";

const world = await startSandboxWorld();
afterAll(() => world.close());

async function ask(method: string, path: string, form: Record<string, string> = {}) {
  const response = await fetch(`${world.stripe.url}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${world.stripe.secretKey}` },
    ...(method === "POST" && { body: new URLSearchParams(form) }),
  });
  return (await response.json()) as { id: string; status: string };
}

test("who moves the clock finds the sandbox's payments settled", async () => {
  const intent = await ask("POST", "payment_intents", {
    amount: "500",
    currency: "usd",
    payment_method: "pm_usBankAccount_success",
    confirm: "true",
    off_session: "true",
  });
  expect(intent.status).toBe("processing");
  const moved = await world.call(world.adminKey, "POST", "/sandbox/clock", { advance: "1h" });
  expect(moved.body).toMatchObject({ settled: true });
  expect((await ask("GET", `payment_intents/${intent.id}`)).status).toBe("succeeded");
});
