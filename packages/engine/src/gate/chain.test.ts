import type { AccountId, GrantId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command, openTestLedger, type TestLedger } from "../../test/ledger-on-test-database.ts";
import type { Principal } from "../key/principal.ts";
import { approachGate, type GateAnswer, passageFor, passGate, STEPS } from "./chain.ts";
import type { GatePorts } from "./ports.ts";

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openTestLedger(createTestDatabase);
});
afterAll(() => ledger.close());

async function accountWith(amount: string): Promise<AccountId> {
  const id = await ledger.createAccount();
  if (amount !== "0") await give(id, amount);
  return id;
}

let grants = 0;
const give = (id: AccountId, amount: string) =>
  ledger.ledger.submit(
    command(id, { kind: "grant", id: `g${++grants}` as GrantId, amount: credits(amount) }),
  );

const principalOf = (accountId: AccountId): Principal => {
  return { kind: "account", keyId: null, accountId, caps: [], by: "user:u" };
};

function pass(
  accountId: AccountId,
  gate: GatePorts,
  facts: {
    repositoryUrl?: string;
    needed?: bigint;
    authenticate?: () => Promise<Principal | GateAnswer>;
  } = {},
) {
  const {
    repositoryUrl = null,
    authenticate = () => Promise.resolve(principalOf(accountId)),
    needed = 1n,
  } = facts;
  const passage = passageFor({ accountId, authenticate, repositoryUrl, needed });
  return passGate({ pool: ledger.pool, clock: ledger.clock, gate }, passage);
}

describe("the gate", () => {
  test("has its five steps in the documented order", () => {
    expect(STEPS.map(({ name }) => name)).toEqual([
      "authenticate",
      "organization",
      "monthly quota",
      "balance",
      "top-up",
    ]);
  });

  test("asks no later step once one has answered", async () => {
    const asked: string[] = [];
    const ended: GateAnswer = { kind: "answer", error: "key_revoked", message: "revoked", remaining: null };
    const gate: GatePorts = {
      organizations: {
        payerFor: () => {
          asked.push("organization");
          return Promise.resolve({ kind: "own" });
        },
      },
    };
    const id = await accountWith("0");
    const outcome = await pass(id, gate, { repositoryUrl: "x", authenticate: () => Promise.resolve(ended) });
    expect([outcome, asked]).toEqual([ended, []]);
  });

  test("charges a repository's work to its organization, within what the member may use", async () => {
    const own = await accountWith("0");
    const org = await accountWith("50");
    const cap = { id: "member", limit: credits("5"), window: "month" } as const;
    const gate: GatePorts = {
      organizations: {
        payerFor: ({ repositoryUrl }) =>
          Promise.resolve(
            repositoryUrl === "known"
              ? { kind: "organization", accountId: org, caps: [cap] }
              : { kind: "refused", error: "organization_unknown", message: "not yours" },
          ),
      },
    };
    expect(await pass(own, gate, { repositoryUrl: "known" })).toMatchObject({
      kind: "allow",
      passage: { accountId: org, caps: [cap] },
    });
    expect(await pass(own, gate, { repositoryUrl: "other" })).toMatchObject({
      error: "organization_unknown",
    });
    await ledger.ledger.submit(command(org, { kind: "spend", id: "all", amount: credits("50") }));
    expect(await pass(own, gate, { repositoryUrl: "known" })).toMatchObject({
      error: "organization_insufficient_credits",
    });
  });

  test("issues the month's quota before it looks at the balance", async () => {
    const id = await accountWith("0");
    const quota = {
      resetIfDue: async () => void (await give(id, "500")),
      cycleOf: () => Promise.resolve(null),
    };
    expect(await pass(id, { quota })).toMatchObject({ kind: "allow", passage: { shortage: null } });
  });

  test("tells auto top-up all that is needed, and lets pass once it is there", async () => {
    const id = await accountWith("3");
    const wanted: bigint[] = [];
    const topUp = {
      isOn: async () => true,
      cover: async (_: AccountId, needed: bigint) => {
        wanted.push(needed);
        await give(id, "500");
        return { kind: "added", credits: credits("500") } as const;
      },
    };
    expect(await pass(id, { topUp }, { needed: credits("10") })).toMatchObject({
      kind: "allow",
      passage: { added: credits("500") },
    });
    expect(await pass(id, { topUp }, { needed: credits("10") })).toMatchObject({ passage: { added: 0n } });
    expect(wanted).toEqual([credits("10")]);
  });

  test.each([
    ["disabled", "insufficient_credits"],
    ["not_needed", "insufficient_credits"],
    ["suspended", "auto_topup_disabled"],
    ["declined", "auto_topup_failed"],
    ["requires_action", "auto_topup_failed"],
  ])("answers by name where top-up says %s", async (reason, error) => {
    const id = await accountWith("0");
    const topUp = {
      isOn: async () => true,
      cover: () => Promise.resolve({ kind: "not_covered", reason } as const),
    };
    expect(await pass(id, { topUp })).toMatchObject({ kind: "answer", error, remaining: 0n });
  });

  test("answers a debt that a purchase did not pay whole", async () => {
    const id = await accountWith("1");
    await ledger.ledger.submit(command(id, { kind: "hold", id: "h", amount: credits("1") }));
    await ledger.ledger.submit(command(id, { kind: "settle", holdId: "h", amount: credits("9") }));
    const topUp = {
      isOn: async () => true,
      cover: async () => {
        await give(id, "2");
        return { kind: "added", credits: credits("2") } as const;
      },
    };
    expect(await pass(id, { topUp })).toMatchObject({ error: "in_debt" });
    expect(await pass(id, {})).toMatchObject({ error: "in_debt" });
  });

  test("leaves balance and top-up to the ledger where the call is a ledger's command", async () => {
    const id = await accountWith("0");
    const resets: AccountId[] = [];
    const gate: GatePorts = {
      quota: {
        resetIfDue: (accountId) => {
          resets.push(accountId);
          return Promise.resolve();
        },
        cycleOf: () => Promise.resolve(null),
      },
      topUp: { isOn: async () => true, cover: () => Promise.reject(new Error("not asked")) },
    };
    const authenticate = () => Promise.resolve(principalOf(id));
    const deps = { pool: ledger.pool, clock: ledger.clock, gate };
    expect(await approachGate(deps, passageFor({ accountId: id, authenticate }))).toMatchObject({
      kind: "allow",
    });
    expect(resets).toEqual([id]);
  });

  test("throws what cannot be known: that is a no", async () => {
    const id = await accountWith("1");
    const broken = () => Promise.reject(new Error("the provider is away"));
    await expect(pass(id, {}, { authenticate: broken })).rejects.toThrow("away");
  });
});
