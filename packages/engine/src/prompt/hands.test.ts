import type { AccountId } from "@bursar/contract/ids";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { command, openTestLedger, silentLog, type TestLedger } from "../../test/ledger-on-test-database.ts";
import { openPrices } from "../price/prices.ts";
import { forgetPrompts } from "./forget.ts";
import { PromptHands } from "./hands.ts";
import { PromptLost } from "./held.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
let ledger: TestLedger;
const opened: PromptHands[] = [];
beforeAll(async () => {
  ledger = await openTestLedger(createTestDatabase);
});
afterAll(async () => {
  for (const hands of opened) hands.close();
  await ledger.close();
});

/** Another process, as far as the database can tell. */
function aProcess(): PromptHands {
  const hands = new PromptHands({ pool: ledger.pool, clock: ledger.clock, log: silentLog });
  opened.push(hands);
  return hands;
}

const engine = () => ({ ...ledger, prices: openPrices(ledger), log: silentLog });

let prompts = 0;
const aPrompt = () => ({
  accountId: "acct_asks" as AccountId,
  requestId: `req_${++prompts}`,
  askedBy: "key:one",
  asked: '{"prompt":"first"}',
});

async function taken(hands: PromptHands, prompt: ReturnType<typeof aPrompt>) {
  const claim = await hands.claim(prompt);
  if (claim.kind !== "held") throw new Error(claim.kind);
  return claim.prompt;
}

/** A process that has this prompt, and is dead or alive: whether it renews its lease. */
async function processWith(prompt: ReturnType<typeof aPrompt>) {
  const hands = aProcess();
  return { held: await taken(hands, prompt), die: () => hands.close() };
}

/** The process that has it was not heard of for as long as a lease lasts. One that lives would be heard of again. */
const silence = ({ requestId }: { requestId: string }) =>
  ledger.pool.query("update prompts set leased_until = clock_timestamp() where request_id = $1", [requestId]);

it("of many processes one gets a prompt, and the others are told that it runs", async () => {
  const prompt = aPrompt();
  const claims = await Promise.all(Array.from({ length: 8 }, () => aProcess().claim(prompt)));
  expect(claims.map(({ kind }) => kind).toSorted()).toEqual(["held", ...Array(7).fill("running")]);
});

it("one that is let go goes on elsewhere with all that was kept; what was asked first counts", async () => {
  const prompt = aPrompt();
  const first = await taken(aProcess(), prompt);
  await first.keepOpening('{"payer":"acct_pays"}');
  await first.keep("a1.1", '{"text":"\\u0000 and so on"}');
  await first.free();
  const second = await taken(aProcess(), { ...prompt, asked: '{"prompt":"another"}' });
  expect([first.life, second.life, second.asked, second.opening]).toEqual([
    ...[1, 2, '{"prompt":"first"}', '{"payer":"acct_pays"}'],
  ]);
  expect([...second.steps()]).toEqual([["a1.1", '{"text":"\\u0000 and so on"}']]);
  expect([second.find("a1.1"), second.find("a1.2")]).toEqual(['{"text":"\\u0000 and so on"}', undefined]);
});

it("who is taken for dead keeps nothing more, ends nothing, and is told that it has lost", async () => {
  const prompt = aPrompt();
  const { held: first, die } = await processWith(prompt);
  die();
  await silence(prompt);
  const second = await taken(aProcess(), prompt);
  await expect(first.keep("a1.1", "1")).rejects.toThrow(PromptLost);
  await expect(first.end("1")).rejects.toThrow(PromptLost);
  await first.free();
  await first.forget();
  expect(first.lost.aborted).toBe(true);
  await second.keep("a1.1", "2");
  await second.end('{"type":"end"}');
  // The commit's answer may be lost: the same end once more is as good.
  await second.end('{"type":"end"}');
  expect(await aProcess().claim(prompt)).toEqual({ kind: "ended", ending: '{"type":"end"}' });
  const { rows } = await ledger.pool.query(
    "select asked, (select count(*)::int from prompt_steps s where s.request_id = p.request_id) as steps from prompts p where request_id = $1",
    [prompt.requestId],
  );
  expect(rows).toEqual([{ asked: "", steps: 0 }]);
});

it("a lease is renewed as long as the process lives; it hears who waits, and that it has lost", async () => {
  const prompt = aPrompt();
  const first = await taken(aProcess(), prompt);
  const wanted = vi.fn<() => void>();
  first.onWanted = wanted;
  const freshness = "leased_until > clock_timestamp() + interval '5 s' as is_fresh";
  const lease = `select ${freshness} from prompts where request_id = $1`;
  const isFresh = async () => (await ledger.pool.query(lease, [prompt.requestId])).rows[0].is_fresh;
  // Looked at in the same statement: it may be renewed in the next moment.
  const aged = await ledger.pool.query(
    `update prompts set leased_until = leased_until - interval '3 s' where request_id = $1 returning ${freshness}`,
    [prompt.requestId],
  );
  expect(aged.rows).toEqual([{ is_fresh: false }]);
  expect(await aProcess().claim(prompt)).toEqual({ kind: "running" });
  await vi.waitFor(async () => expect(await isFresh()).toBe(true), PATIENCE);
  await vi.waitFor(() => expect(wanted).toHaveBeenCalled(), PATIENCE);
  // It may renew its lease between its silence and the claim; then it was not silent.
  const takenOver = async () => {
    await silence(prompt);
    return (await aProcess().claim(prompt)).kind;
  };
  await expect.poll(takenOver).toBe("held");
  await vi.waitFor(() => expect(first.lost.aborted).toBe(true), PATIENCE);
});

it("is nobody else's, whatever they know of it, and they cannot even ask for it", async () => {
  const prompt = aPrompt();
  const first = await taken(aProcess(), prompt);
  const stranger = { ...prompt, askedBy: "key:another" };
  expect(await aProcess().claim(stranger)).toEqual({ kind: "not_yours" });
  const { rows } = await ledger.pool.query("select wanted_at from prompts where request_id = $1", [
    prompt.requestId,
  ]);
  expect(rows).toEqual([{ wanted_at: null }]);
  await first.free();
  expect(await aProcess().claim(stranger)).toEqual({ kind: "not_yours" });
});

it("one that does too much to be kept ends with its process, and nothing of it stays", async () => {
  const prompt = aPrompt();
  const { held: first, die } = await processWith(prompt);
  await first.keep("a1.1", "1");
  expect(first.isResumable).toBe(true);
  await first.keep("a1.2", `"${"x".repeat(33 * 1024 * 1024)}"`);
  await first.keep("a1.3", "3");
  expect(first.isResumable).toBe(false);
  expect(await aProcess().claim(prompt)).toEqual({ kind: "running" });
  die();
  await silence(prompt);
  expect(await aProcess().claim(prompt)).toEqual({ kind: "too_large" });
  const steps = await ledger.pool.query("select 1 from prompt_steps where request_id = $1", [
    prompt.requestId,
  ]);
  expect(steps.rowCount).toBe(0);
});

it("is forgotten when nobody has gone on with it for a quarter of an hour, and not while it runs", async () => {
  const [left, running] = [aPrompt(), aPrompt()];
  await (await taken(aProcess(), left)).free();
  await taken(aProcess(), running);
  ledger.clock.advance(899_000_000);
  const before = await aProcess().claim({ ...left, askedBy: "key:another" });
  expect(before).toEqual({ kind: "not_yours" });
  ledger.clock.advance(2_000_000);
  while ((await forgetPrompts(engine())) > 0);
  expect((await taken(aProcess(), left)).life).toBe(1);
  expect(await aProcess().claim(running)).toEqual({ kind: "running" });
});

it("what it still holds is given back when it is forgotten, also of one that was too large to be kept", async () => {
  const payer = await ledger.createAccount();
  const submit = (asked: Parameters<typeof command>[1]) => ledger.ledger.submit(command(payer, asked));
  await submit({ kind: "grant", id: "grant_all", amount: 100n });
  const asked = [aPrompt(), aPrompt()];
  for (const [index, prompt] of asked.entries()) {
    const { held, die } = await processWith(prompt);
    await held.keepOpening(JSON.stringify({ payer }));
    const budget = `hold_${prompt.requestId.slice("req_".length)}`;
    await submit({ kind: "hold", id: budget, amount: 30n });
    await submit({ kind: "hold", id: `${budget}.a1.1`, parentId: budget, amount: 10n });
    await submit({
      kind: "extend",
      id: `${budget}.a1.1.report.1`,
      holdId: `${budget}.a1.1`,
      amount: 0n,
      reported: 4n,
    });
    if (index === 1) await held.keep("a1.1", `"${"x".repeat(33 * 1024 * 1024)}"`);
    die();
    await silence(prompt);
  }
  const buckets = async () => {
    const { rows } = await ledger.pool.query(
      "select available, held, spent from accounts where account_id = $1",
      [payer],
    );
    return Object.values(rows[0]).map(Number);
  };
  expect(await buckets()).toEqual([40, 60, 0]);
  ledger.clock.advance(901_000_000);
  while ((await forgetPrompts(engine())) > 0);
  expect(await buckets()).toEqual([92, 0, 8]);
});

it("who has asked for one and gone away wants it no more", async () => {
  const prompt = aPrompt();
  const first = await taken(aProcess(), prompt);
  const wanted = vi.fn<() => void>();
  first.onWanted = wanted;
  // As a claim of six seconds ago has left it.
  const older =
    "update prompts set wanted_at = clock_timestamp() - interval '6 s', leased_until = leased_until - interval '3 s'";
  await ledger.pool.query(`${older} where request_id = $1`, [prompt.requestId]);
  const isRenewed =
    "select leased_until > clock_timestamp() + interval '5 s' as yes from prompts where request_id = $1";
  const renewed = async () => (await ledger.pool.query(isRenewed, [prompt.requestId])).rows[0].yes;
  await vi.waitFor(async () => expect(await renewed()).toBe(true), PATIENCE);
  expect(wanted).not.toHaveBeenCalled();
});
