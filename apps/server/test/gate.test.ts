/** The gate is one list: what HTTP and the socket find out at it is the same. */
import { openSocket } from "@bursar/client/socket";
import { ORGANIZATION_HEADER, REPOSITORY_HEADER } from "@bursar/contract/headers";
import type { GrantId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import type { GatePorts } from "@bursar/engine/gate/ports";
import { grant } from "@bursar/engine/grant/grant";
import { putQuota } from "@bursar/engine/quota/quota";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LONG } from "./outliving-run.ts";
import { PRICES, type Running, startRunning } from "./running.ts";

let model: SandboxModel;
let running: Running;
let organizations: NonNullable<GatePorts["organizations"]>;
let topUp: NonNullable<GatePorts["topUp"]> = {
  isOn: () => Promise.resolve(false),
  cover: () => Promise.resolve({ kind: "not_covered", reason: "disabled" }),
};

beforeAll(async () => {
  model = await startSandboxModel();
  const upstream = {
    ...{ name: "box", url: model.url, models: ["small", "free"] },
    modelNames: { small: "sandbox-small", free: "sandbox-scripted" },
  };
  const gate = {
    organizations: { payerFor: (question) => organizations.payerFor(question) },
    topUp: { isOn: (id) => topUp.isOn(id), cover: (...asked) => topUp.cover(...asked) },
  } satisfies GatePorts;
  running = await startRunning(undefined, 0, {}, { upstreams: [upstream] }, { gate });
  const models = { ...PRICES.models, free: { inputPerMillion: "0", outputPerMillion: "0" } };
  await running.engine.prices.put({ body: { ...PRICES, models }, by: "test" });
  model.scripts.add({ mode: "turns", replies: [{ content: LONG, directive: "interval=1ms" }] });
});
afterAll(async () => {
  await running.close();
  await model.close();
});

const MONTH_SECONDS = 31 * 86_400;
type Account = Awaited<ReturnType<Running["account"]>>;

const chat = (account: Account, headers: Record<string, string> = {}) =>
  account.post(
    "/v1/chat/completions",
    { model: "small", messages: [{ role: "user", content: "hi" }] },
    headers,
  );

async function promptOf(account: Account, fields: { organizationId?: string; repositoryUrl?: string } = {}) {
  const socket = openSocket({ url: running.url, credential: account.key });
  return socket.prompt({ prompt: "hi", model: "small", ...fields }).finally(() => socket.close());
}

test("a month's quota that is due is there before the first call of the new month asks for it", async () => {
  const ways = [
    (account: Account) => account.post("/v1/holds", { id: "h", amount: "400" }),
    (account: Account) => account.post("/v1/spend", { id: "s", amount: "400" }),
    (account: Account) => chat(account),
    (account: Account) => promptOf(account),
  ];
  for (const way of ways) {
    const account = await running.account("0");
    await putQuota(running.engine, {
      accountId: account.id,
      credits: credits("500"),
      rollover: null,
      by: "test",
    });
    await account.post("/v1/spend", { id: "all", amount: "500" });
    running.clock.time = addSeconds(running.clock.time, MONTH_SECONDS);
    const answer = await way(account);
    if ("status" in answer) expect(answer.status).toBeLessThan(300);
    else expect(answer.ended).toBe("complete");
  }
});

test("an organization pays for its own work, by REST, gateway and socket, within the member's cap", async () => {
  const member = await running.account("0");
  const organization = await running.account("50");
  const cap = { id: `member:${member.id}`, limit: credits("20"), window: "month" } as const;
  organizations = {
    payerFor: ({ organizationId, repositoryUrl }) =>
      Promise.resolve(
        organizationId === "org_1" || repositoryUrl === "https://github.com/o/r"
          ? { kind: "organization", accountId: organization.id, caps: [cap] }
          : { kind: "refused", error: "organization_unknown", message: "There is no such organization" },
      ),
  };
  const named = { [ORGANIZATION_HEADER]: "org_1" };
  expect((await member.post("/v1/spend", { id: "s1", amount: "15" })).status).toBe(402);
  expect((await member.post("/v1/spend", { id: "s1", amount: "15" }, named)).status).toBe(200);
  const over = await member.post("/v1/spend", { id: "s2", amount: "15" }, named);
  expect(over.body.error.code).toBe("cap_exceeded");
  const unknown = await member.post(
    "/v1/spend",
    { id: "s3", amount: "1" },
    { [ORGANIZATION_HEADER]: "org_2" },
  );
  expect([unknown.status, unknown.body.error.code]).toEqual([404, "organization_unknown"]);
  const repository = { [REPOSITORY_HEADER]: "https://github.com/o/r" };
  expect((await chat(member, repository)).status).toBe(200);
  expect((await promptOf(member, { repositoryUrl: "https://github.com/o/r" })).ended).toBe("complete");
  await expect(promptOf(member, { organizationId: "org_2" })).rejects.toMatchObject({
    code: "organization_unknown",
  });
  const { available } = (await organization.get("/v1/balance")).body;
  expect(Number(available)).toBeLessThan(35);
  expect((await member.get("/v1/balance")).body.available).toBe("0");
});

test("a prompt without credits buys some where it may, and says how many; where it cannot, it says why", async () => {
  const account = await running.account("0");
  const socket = openSocket({ url: running.url, credential: account.key });
  const ask = (listener = {}) => socket.prompt({ prompt: "hi", model: "small" }, listener);
  await expect(ask()).rejects.toMatchObject({ code: "insufficient_credits" });
  topUp = {
    isOn: () => Promise.resolve(true),
    cover: () => Promise.resolve({ kind: "not_covered", reason: "declined" }),
  };
  await expect(ask()).rejects.toMatchObject({ code: "auto_topup_failed", remainingBalance: "0" });
  topUp = {
    isOn: () => Promise.resolve(true),
    cover: async (accountId) => {
      const amount = credits("500");
      const facts = { accountId, source: "topup", by: "test" } as const;
      await grant(running.engine, { ...facts, id: "grant_bought" as GrantId, amount });
      return { kind: "added", credits: amount };
    },
  };
  const usages: (string | undefined)[] = [];
  const onUsage = ({ autoTopupAdded }: { autoTopupAdded?: string | undefined }) =>
    usages.push(autoTopupAdded);
  expect((await ask({ onUsage })).ended).toBe("complete");
  expect((await ask({ onUsage })).ended).toBe("complete");
  expect(usages).toEqual(["500", undefined]);
  socket.close();
});

test("a prompt that is called off before it begins passes no gate, and buys nothing", async () => {
  const account = await running.account("0");
  let asked = 0;
  topUp = {
    isOn: () => Promise.resolve(true),
    cover: () => {
      asked += 1;
      return Promise.resolve({ kind: "not_covered", reason: "declined" });
    },
  };
  const socket = openSocket({ url: running.url, credential: account.key });
  for (const agent of [undefined, "coder"]) {
    const userInputId = `off_${agent}`;
    const prompt = { userInputId, prompt: "hi", model: "small", ...(agent === undefined ? {} : { agent }) };
    const ended = socket.prompt(prompt);
    await socket.cancel(userInputId);
    expect(await ended).toMatchObject({ ended: "cancelled", cost: "0" });
  }
  expect(asked).toBe(0);
  socket.close();
});

test("a prompt whose model costs nothing needs no credits, and buys none", async () => {
  const account = await running.account("0");
  let covers = 0;
  topUp = {
    isOn: () => Promise.resolve(false),
    cover: () => {
      covers += 1;
      return Promise.resolve({ kind: "not_covered", reason: "disabled" });
    },
  };
  const socket = openSocket({ url: running.url, credential: account.key });
  for (const agent of [{}, { agent: "coder" }]) {
    const end = await socket.prompt({ prompt: "hi", model: "free", ...agent });
    expect([end.ended, end.cost]).toEqual(["complete", "0"]);
    expect(end.output).toMatchObject({ text: LONG });
  }
  expect(covers).toBe(0);
  socket.close();
});
