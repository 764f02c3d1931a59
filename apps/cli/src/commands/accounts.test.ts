import { afterAll, beforeAll, expect, test } from "vitest";
import { peopleOf, type Signed } from "../../../server/test/people-of.ts";
import { type Running, startRunning } from "../../../server/test/running.ts";
import { bursar } from "../testing/bursar.ts";

let running: Running;
let ada: Signed;
beforeAll(async () => {
  running = await startRunning();
  ada = await peopleOf(running)("ada.lovelace");
});
afterAll(() => running.close());

const run = async (...args: string[]) => {
  const environment = { BURSAR_URL: running.url, BURSAR_ADMIN_KEY: running.adminKey };
  const { code, stdout, stderr } = await bursar(args, { environment });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
};

test("an account is found by its owner's e-mail, and shown whole, with what administrators did and why", async () => {
  const { accountId } = ada;
  await run("grant", "12.5", "--account", accountId, "--why", "for the bug \u001B[31mreport");
  await run("quota", "set", "--credits", "20", "--account", accountId, "--why", "as agreed");
  await ada.post("/v1/spend", { id: "work-1", amount: "2" });
  const found = await run("accounts", "find", "lovelace@exam");
  expect(found).toContain(accountId);
  expect(found).toContain("ada.lovelace@example.org");
  const shown = await run("accounts", "show", accountId);
  for (const text of [
    `person ${ada.id} (ada.lovelace, ada.lovelace@example.org)`,
    "30.5 credits available",
    "20 credits",
    "No subscription.",
    "work-1",
    "for the bug [31mreport",
    "as agreed",
    "putQuota",
  ])
    expect(shown).toContain(text);
  expect(shown).not.toContain("\u001B");
  const picture = JSON.parse(await run("accounts", "show", accountId, "--json"));
  expect(picture).toMatchObject({
    id: accountId,
    available: "30.5",
    balance: { available: "30.5" },
    receipts: [{ id: "work-1" }, { operation: "grant" }, { operation: "grant" }],
    quota: { credits: "20" },
    subscription: null,
    payments: [],
    actions: [{ operation: "putQuota" }, { operation: "createGrant" }],
  });
});

test("actions are listed for all accounts, or for the one that is named", async () => {
  const other = await running.account("0");
  await run("accounts", "freeze", other.id, "--reason", "lost");
  expect(await run("admin", "actions")).toMatch(/freezeAccount.*acct_1 .*done {3}lost/);
  const one = JSON.parse(await run("admin", "actions", "--account", other.id, "--json"));
  expect(one.actions).toMatchObject([{ operation: "freezeAccount", accountId: other.id, reason: "lost" }]);
  expect(await run("entries", "--account", other.id)).toMatch(/freeze .*admin:key_\w+ +lost/);
  expect(await run("explain", "--account", other.id)).toContain("lost");
});
