/** What the socket tells of money that comes in: prompts that run dry, and pushes. */
import { type BursarSocket, openSocket } from "@bursar/client/socket";
import type { PushOf } from "@bursar/contract/socket/topics";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";
import { openPeer } from "./socket-peer.ts";

const PATIENCE = { timeout: 30_000, interval: 20 };
let world: PayingWorld;
const sockets: BursarSocket[] = [];

beforeAll(async () => {
  world = await startPayingWorld();
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});
afterAll(() => world.close());

function open(key: string): BursarSocket {
  const socket = openSocket({ url: world.url, credential: key });
  sockets.push(socket);
  return socket;
}

/** Costs a few hundred credits: more than the accounts here begin with. */
const LONG = { prompt: "[[sandbox: tokens=600]] tell me", model: "sandbox-small" };

async function ask(key: string) {
  const told: { added?: string | undefined; left?: string } = {};
  const end = await open(key).prompt(LONG, {
    onUsage: ({ autoTopupAdded, remainingBalance }) => {
      told.added = autoTopupAdded;
      told.left = remainingBalance;
    },
  });
  return { ...end, ...told, text: (end.output as { text: string }).text };
}

test("a prompt that runs dry goes on with what auto top-up buys, and says how many credits that were", async () => {
  const account = await world.account("100");
  await account.policy();
  const { ended, added, left, cost } = await ask(account.key);
  expect(ended).toBe("complete");
  expect(Number(cost)).toBeGreaterThan(100);
  expect(Number(added)).toBeGreaterThan(0);
  expect(Number(left)).toBeCloseTo(100 + Number(added) - Number(cost), 6);
  expect((await account.attempts()).length).toBe(1);
  await world.settle();
  await world.verify();
});

test("a prompt on an empty account whose card is declined says exactly that", async () => {
  const account = await world.account("0", "pm_card_chargeCustomerFail");
  await account.policy();
  await expect(ask(account.key)).rejects.toMatchObject({
    code: "auto_topup_failed",
    message: expect.stringMatching(/declined/),
    remainingBalance: "0",
  });
});

test("one whose card is declined in the middle says so, too, and what it wrote is kept and paid", async () => {
  const account = await world.account("100", "pm_card_chargeCustomerFail");
  await account.policy();
  const peer = openPeer(world.url, account.key);
  await peer.say({ type: "identify", clientSessionId: "session_of_the_declined" });
  await peer.say({ type: "action", data: { type: "prompt", userInputId: "p", ...LONG } });
  const { data } = await peer.until((each) => each.data?.type === "action-error");
  expect(data).toMatchObject({ error: "auto_topup_failed", message: expect.stringMatching(/declined/) });
  expect(Number(data.cost)).toBeGreaterThan(50);
  expect(await account.balance()).toEqual([data.remainingBalance, "0", "0"]);
  expect(Number(data.remainingBalance) + Number(data.cost)).toBeCloseTo(100, 6);
  expect(peer.heard.filter((each) => each.data?.type === "response-chunk").length).toBeGreaterThan(20);
  const usage = peer.heard.find((each) => each.data?.type === "usage-response");
  expect(usage.data.autoTopupAdded).toBeUndefined();
  peer.socket.terminate();
  await world.settle();
  await world.verify();
});

test("a prompt without auto top-up stops cleanly, and what it wrote is kept and paid", async () => {
  const account = await world.account("100");
  const { ended, added, text, cost } = await ask(account.key);
  expect([ended, added]).toEqual(["insufficient_credits", undefined]);
  expect(text.length).toBeGreaterThan(100);
  expect(Number(cost)).toBeLessThanOrEqual(100);
  // What is left may pay for a word or two more, and then for nothing.
  await expect(untilRefused(account.key)).rejects.toMatchObject({ code: "insufficient_credits" });
});

async function untilRefused(key: string): Promise<void> {
  for (let again = 0; again < 4; again++) expect((await ask(key)).ended).toBe("insufficient_credits");
}

test("purchases and top-ups are pushed as they go, with the balance and the notice", async () => {
  const account = await world.account("0");
  const socket = open(account.key);
  let payments: PushOf<"payments">["payments"] = [];
  let available = "";
  let notices: readonly string[] = [];
  socket.subscribe("payments", (push) => {
    payments = push.payments;
  });
  socket.subscribe("notices", (push) => {
    notices = push.notices.map(({ kind }) => kind);
  });
  socket.subscribeBalance((push) => {
    available = push.available;
  });
  const { body } = await account.post("/v1/purchases", { pack: "credits-1000", currency: "eur" });
  await vi.waitFor(() => expect(available).toBe("1000"), PATIENCE);
  await world.settle();
  await vi.waitFor(() => expect(payments[0]).toMatchObject({ id: body.id, state: "confirmed" }), PATIENCE);
  await vi.waitFor(() => expect(notices).toContain("purchase_success"), PATIENCE);
  await account.policy();
  await account.post("/v1/spend", { id: "most", amount: "900" });
  await world.settle();
  await vi.waitFor(() => {
    const told = payments.map(({ kind, state }) => `${kind} ${state}`);
    expect(told.toSorted()).toEqual(["purchase confirmed", "topup confirmed"]);
    expect(available).toBe("2000");
    expect(notices).toContain("topup_success");
  }, PATIENCE);
});
