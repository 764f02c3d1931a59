/** Credits by code: gift cards, promo codes, referrals. Over HTTP, on a real database. */
import type { AccountId, GrantId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import { connectionOptions } from "@bursar/database/connection";
import { keepPromises } from "@bursar/engine/grant/promise";
import { verifyLedger } from "@bursar/engine/ledger/verify";
import { type ReferralTerms, rewardReferrals } from "@bursar/engine/referral/reward";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { peopleOf } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.close());

type Account = Awaited<ReturnType<Running["account"]>>;

const admin = (method: string, path: string, body?: unknown) =>
  running.call(running.adminKey, method, path, body);
const makeCards = async (count: number, amount = "50", expiresAt?: string) =>
  (await admin("POST", "/v1/gift-cards", { count, amount, expiresAt })).body;
const redeem = (account: Account, code: string) => account.post("/v1/gift-cards/redeem", { code });
const availableOf = async (account: Account) => (await account.get("/v1/balance")).body.available;
const accounts = (count: number) => Promise.all(Array.from({ length: count }, () => running.account("0")));
const statuses = (answers: readonly { status: number }[]) =>
  Object.fromEntries(
    [...Map.groupBy(answers, ({ status }) => status)].map(([status, group]) => [status, group.length]),
  );
const later = (seconds: number) => {
  running.clock.time = (running.clock.time + seconds * 1_000_000) as typeof running.clock.time;
};
const inSeconds = (seconds: number) => new Date(running.clock.time / 1000 + seconds * 1000).toISOString();

/** What nobody would call a code. */
const NO_CODES = [
  "x".repeat(1000),
  "y".repeat(500_000),
  "\u0000",
  "\ud800",
  "🎁".repeat(12),
  "\u202e\u0007\r\n",
  "' or 1=1 --",
  "ß".repeat(5000),
  "%_\\",
];

/** Three ways to give a code, each with one that nobody has made. */
const WAYS = [
  ["/v1/gift-cards/redeem", "K7QF-2MXD-9RTA"],
  ["/v1/promo-codes/redeem", "NOBODY-MADE-IT"],
  ["/v1/referrals", "K7QF2MXD"],
] as const;

describe.each(WAYS)("POST %s", (path, unknown) => {
  /** The answer, and the statements that it took: without those of a key's last use and of the connection for changes,
   *  which come when they come. */
  const work = async (code: string) => {
    const account = await running.account("0");
    await account.get("/v1/balance");
    const asked = vi.spyOn(pg.Client.prototype, "query");
    const { status, body } = await account.post(path, { code });
    const statements = asked.mock.calls.flatMap(([given]) => {
      const { text = given } = Object(given) as { text?: unknown };
      return typeof text === "string" && !/api_keys|\bsearch_path\b|bursar_changes|pg_notify/.test(text)
        ? [text]
        : [];
    });
    asked.mockRestore();
    return { status, body: { ...body.error, requestId: "" }, statements };
  };

  it("answers what is no code as one that nobody has made, after the same work", async () => {
    const right = await work(unknown);
    expect([right.status, right.body.code]).toEqual([404, "code_unknown"]);
    expect(right.statements.length).toBeGreaterThan(1);
    for (const code of ["", ...NO_CODES]) {
      // An address may try a hundred in a quarter of an hour.
      later(900);
      expect([code.slice(0, 20), await work(code)]).toEqual([code.slice(0, 20), right]);
    }
  });
});

describe("a gift card", () => {
  it("is shown once, as codes and as CSV, and is kept only as a hash", async () => {
    const batch = await makeCards(3, "12.5");
    expect(batch.cards).toHaveLength(3);
    for (const { code } of batch.cards)
      expect(code).toMatch(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/);
    const [first] = batch.cards;
    expect(batch.csv.split("\n").slice(0, 2)).toEqual([
      "id,code,amount,expires_at",
      `${first.id},${first.code},12.5,`,
    ]);
    const shown = await admin("GET", `/v1/gift-batches/${batch.id}`);
    const { rows } = await running.engine.pool.query("select c::text as row from gift_cards c");
    for (const text of [JSON.stringify(shown.body), ...rows.map(({ row }) => row)])
      expect(text).not.toContain(first.code.replaceAll("-", ""));
  });

  it("gives its credits, once an account and once in all, however it is typed", async () => {
    const [ann, bob] = (await accounts(2)) as [Account, Account];
    const [card] = (await makeCards(1)).cards;
    const typed = ` ${card.code.toLowerCase().replaceAll("-", " ")} `;
    const first = await redeem(ann, typed);
    expect([first.status, first.body]).toEqual([
      201,
      { id: card.id, grantId: `gift:${card.id}`, amount: "50" },
    ]);
    const again = await redeem(ann, card.code);
    expect([again.status, again.body]).toEqual([200, first.body]);
    const other = await redeem(bob, card.code);
    expect([other.status, other.body.error.code]).toEqual([409, "code_used"]);
    expect(await Promise.all([ann, bob].map(availableOf))).toEqual(["50", "0"]);
    const balance = (await ann.get("/v1/balance")).body;
    expect(balance.grants).toMatchObject([{ source: "gift", expiresAt: null }]);
  });

  it("that fifty accounts redeem at once has one winner", async () => {
    const fifty = await accounts(50);
    const [card] = (await makeCards(1)).cards;
    const answers = await Promise.all(fifty.map((account) => redeem(account, card.code)));
    expect(statuses(answers)).toEqual({ 201: 1, 409: 49 });
    const available = await Promise.all(fifty.map(availableOf));
    expect(available.filter((amount) => amount !== "0")).toEqual(["50"]);
  });

  it("that one account redeems fifty times at once is granted once", async () => {
    const account = await running.account("0");
    const [card] = (await makeCards(1)).cards;
    const answers = await Promise.all(Array.from({ length: 50 }, () => redeem(account, card.code)));
    expect(statuses(answers)).toEqual({ 201: 1, 200: 49 });
    expect(await availableOf(account)).toBe("50");
  });

  it("ends when it is voided, alone or with its batch, and what was redeemed stays", async () => {
    const account = await running.account("0");
    const batch = await makeCards(3);
    const [one, two, three] = batch.cards;
    await redeem(account, one.code);
    await admin("POST", `/v1/gift-cards/${two.id}/void`, { reason: "lost" });
    expect((await redeem(account, two.code)).body.error.code).toBe("code_void");
    const ended = await admin("POST", `/v1/gift-cards/${batch.id}/void`, { reason: "stolen" });
    expect(ended.body).toEqual({ id: batch.id, voided: 2, redeemed: 1 });
    expect((await redeem(account, three.code)).body.error.code).toBe("code_void");
    expect((await redeem(account, one.code)).status).toBe(200);
    const { cards } = (await admin("GET", `/v1/gift-batches/${batch.id}`)).body;
    const states = new Map(cards.map((card: { id: string }) => [card.id, card]));
    expect(states.get(one.id)).toMatchObject({ state: "redeemed", redeemedBy: account.id });
    expect(states.get(two.id)).toMatchObject({ state: "void", voidReason: "lost" });
    expect(states.get(three.id)).toMatchObject({ state: "void", voidReason: "stolen" });
    const unknown = await admin("POST", "/v1/gift-cards/gift_none/void", { reason: "none" });
    expect([unknown.status, unknown.body.error.code]).toEqual([404, "gift_unknown"]);
  });

  it("ends at its expiry", async () => {
    const account = await running.account("0");
    const [card] = (await makeCards(1, "50", inSeconds(60))).cards;
    later(60);
    expect((await redeem(account, card.code)).body.error.code).toBe("code_expired");
    const late = await admin("POST", "/v1/gift-cards", { count: 1, amount: "1", expiresAt: inSeconds(-1) });
    expect([late.status, late.body.error.param]).toEqual([422, "expiresAt"]);
  });

  it.each(["", "K7QF", "K7QF-2MXD-9RT0", "K7QF-2MXD-9RTA", ...NO_CODES])(
    "answers what is no code like a code that nobody made: %j",
    async (code) => {
      const { status, body } = await redeem(await running.account("0"), code);
      expect([status, { ...body.error, requestId: "" }]).toEqual([
        404,
        {
          type: "not_found_error",
          code: "code_unknown",
          message: "This code is not known",
          param: "code",
          requestId: "",
        },
      ]);
    },
  );

  it("cannot be guessed: the eleventh try of an account waits a quarter of an hour, also when all are sent at once", async () => {
    later(900);
    const account = await running.account("0");
    const guesses = Array.from({ length: 25 }, (_, index) => redeem(account, `GUESS-${index}`));
    expect(statuses(await Promise.all(guesses))).toEqual({ 404: 10, 429: 15 });
    const [card] = (await makeCards(1)).cards;
    const limited = await redeem(account, card.code);
    expect([limited.status, limited.body.error.code]).toEqual([429, "rate_limited"]);
    later(limited.body.error.retryAfterSeconds);
    expect((await redeem(account, card.code)).status).toBe(201);
  });

  it("cannot be guessed from one address with many accounts", async () => {
    later(900);
    const [fresh, ...many] = await accounts(12);
    for (const account of many)
      await Promise.all([...Array(10).keys()].map((index) => redeem(account, `GUESS-${index}`)));
    const [card] = (await makeCards(1)).cards;
    expect((await redeem(fresh!, card.code)).status).toBe(429);
    later(900);
    expect((await redeem(fresh!, card.code)).status).toBe(201);
  });

  it("that was redeemed just before a crash is granted by the background", async () => {
    const account = await running.account("0");
    await running.engine.pool.query(
      `insert into promised_grants (account_id, grant_id, amount, source, notes, reference, promised_by, at)
       values ($1, 'gift:crashed', $2, 'gift', 'Gift card', 'crashed', 'test', now())`,
      [account.id, credits("7")],
    );
    expect(await Promise.all([keepPromises(running.engine), keepPromises(running.engine)])).toContain(1);
    expect(await availableOf(account)).toBe("7");
    expect(await keepPromises(running.engine)).toBe(0);
  });
});

describe("a promo code", () => {
  const make = (code: string, terms: object = {}) =>
    admin("POST", "/v1/promo-codes", { code, amount: "10", ...terms });
  const use = (account: Account, code: string) => account.post("/v1/promo-codes/redeem", { code });

  it("gives its credits once an account, with the expiry that it says", async () => {
    const account = await running.account("0");
    expect((await make("spring-1", { creditsLastDays: 30 })).body).toMatchObject({
      code: "SPRING-1",
      limit: null,
    });
    const expiresAt = inSeconds(30 * 86_400);
    const first = await use(account, "spring-1");
    expect([first.status, first.body]).toEqual([
      201,
      { code: "SPRING-1", grantId: "promo:SPRING-1", amount: "10", expiresAt },
    ]);
    later(3600);
    const again = await use(account, "SPRING-1");
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(await availableOf(account)).toBe("10");
  });

  it("gives one person its credits once, however many organizations they make; a gift card is for these, too", async () => {
    const owner = await peopleOf(running)("collector");
    await make("ONCE");
    const [card] = (await makeCards(1)).cards;
    const named = { "x-bursar-organization": "org_collector" };
    await owner.post("/v1/organizations", { id: "org_collector", name: "Collector" });
    const key = await admin("POST", "/v1/keys", { accountId: "acct_org_collector", name: "Theirs" });
    const refused = await Promise.all([
      owner.post("/v1/promo-codes/redeem", { code: "ONCE" }, named),
      owner.post("/v1/promo-codes/redeem", { code: "ONCE", accountId: "acct_org_collector" }),
      running.call(key.body.key, "POST", "/v1/promo-codes/redeem", { code: "ONCE" }),
      running.call(key.body.key, "POST", "/v1/promo-codes/redeem", { code: "NEVER-MADE" }),
    ]);
    for (const { status, body } of refused)
      expect([status, body.error.code]).toEqual([403, "person_required"]);
    expect((await owner.post("/v1/promo-codes/redeem", { code: "ONCE" })).status).toBe(201);
    expect((await owner.post("/v1/gift-cards/redeem", { code: card.code }, named)).status).toBe(201);
    expect((await owner.get("/v1/balance", named)).body.available).toBe("50");
  });

  it("with one use left that fifty accounts redeem at once has one winner", async () => {
    await make("LAST", { limit: 3 });
    for (const account of await accounts(2)) expect((await use(account, "LAST")).status).toBe(201);
    const fifty = await accounts(50);
    const answers = await Promise.all(fifty.map((account) => use(account, "LAST")));
    expect(statuses(answers)).toEqual({ 201: 1, 409: 49 });
    const codes = answers.filter(({ status }) => status === 409).map(({ body }) => body.error.code);
    expect(new Set(codes)).toEqual(new Set(["code_used"]));
    const available = await Promise.all(fifty.map(availableOf));
    expect(available.filter((amount) => amount !== "0")).toEqual(["10"]);
    const { promos } = (await admin("GET", "/v1/promo-codes")).body;
    expect(promos.find(({ code }: { code: string }) => code === "LAST")).toMatchObject({
      limit: 3,
      redeemed: 3,
    });
  });

  it("may ask for credits bought before, and says how many", async () => {
    await make("LOYAL", { minimumPurchased: "100.5" });
    const account = await running.account("100");
    const early = await use(account, "LOYAL");
    expect([early.status, early.body.error.code]).toEqual([409, "minimum_not_met"]);
    expect(early.body.error.message).toContain("100.5 credits or more; this one has bought 100");
    const more = { accountId: account.id, amount: "0.5", source: "purchase", expiresAt: null };
    await admin("POST", "/v1/grants", more);
    expect((await use(account, "LOYAL")).status).toBe(201);
  });

  it("counts nothing as bought that was paid back", async () => {
    await make("KEEPERS", { minimumPurchased: "100" });
    const account = await running.account("0");
    const bought = {
      accountId: account.id,
      id: "grant_bought",
      amount: "100",
      source: "purchase",
      expiresAt: null,
    };
    expect((await admin("POST", "/v1/grants", bought)).status).toBe(201);
    const revoked = await running.engine.ledger.submit({
      ...{ kind: "revoke", accountId: account.id, id: "refund:re_1", asked: "refund:re_1" },
      ...{ grantId: "grant_bought" as GrantId, amount: credits("40"), by: "test", note: "Paid back" },
    });
    expect(revoked.kind).toBe("done");
    const refused = await use(account, "KEEPERS");
    expect([refused.status, refused.body.error.code]).toEqual([409, "minimum_not_met"]);
    expect(refused.body.error.message).toContain("this one has bought 60");
  });

  it("ends at its expiry and when it is disabled; its terms never change", async () => {
    const account = await running.account("0");
    await make("SHORT", { expiresAt: inSeconds(60) });
    await make("STOPPED");
    expect((await make("stopped", { amount: "99" })).body.error.code).toBe("promo_exists");
    await admin("POST", "/v1/promo-codes/stopped/disable");
    later(60);
    expect((await use(account, "SHORT")).body.error.code).toBe("code_expired");
    expect((await use(account, "STOPPED")).body.error.code).toBe("code_void");
    expect((await use(account, "NEVER-MADE")).body.error.code).toBe("code_unknown");
    for (const odd of ["no code at all!", "", "\u0000", "STOPPED\u0000"])
      expect((await use(account, odd)).body.error.code).toBe("code_unknown");
    expect((await admin("POST", "/v1/promo-codes/NEVER-MADE/disable")).body.error.code).toBe("promo_unknown");
    expect((await make("a b")).body.error.param).toBe("code");
  });
});

describe("a referral", () => {
  const codeOf = async (account: Account) =>
    (await running.call(account.key, "PUT", "/v1/referrals/code")).body.code as string;
  const track = (account: Account, code: string) => account.post("/v1/referrals", { code });
  const look = async (account: Account) => (await account.get("/v1/referrals")).body;
  const onPurchase: ReferralTerms = { condition: "purchase", hasVerifiedMail: () => Promise.resolve(false) };
  const settle = async (terms = onPurchase) => {
    later(600);
    while ((await rewardReferrals(running.engine, terms)) > 0);
  };
  const buy = (account: Account) =>
    admin("POST", "/v1/grants", { accountId: account.id, amount: "5", source: "purchase", expiresAt: null });

  it("rewards both with 25 credits after the first purchase, once", async () => {
    const [ann, bob] = (await accounts(2)) as [Account, Account];
    const code = await codeOf(ann);
    expect(await codeOf(ann)).toBe(code);
    expect((await track(bob, ` ${code.toLowerCase()} `)).body).toEqual({ state: "pending", reward: "25" });
    await settle();
    expect(await look(ann)).toMatchObject({ code, pending: 1, rewarded: 0, earned: "0" });
    await buy(bob);
    await settle();
    await settle();
    expect(await Promise.all([ann, bob].map(availableOf))).toEqual(["25", "30"]);
    expect(await look(ann)).toMatchObject({ pending: 0, rewarded: 1, earned: "25", limit: 100 });
    expect(await look(bob)).toMatchObject({ broughtBy: { state: "rewarded" } });
    for (const account of [ann, bob]) {
      const { notices } = (await account.get("/v1/notices")).body;
      expect(notices).toMatchObject([{ kind: "referral_reward", details: { amount: "25" } }]);
    }
    expect((await track(bob, code)).status).toBe(200);
  });

  it("is rewarded for an account of the longest id, too, and keeps nobody else's from it", async () => {
    const [ann, bob] = (await accounts(2)) as [Account, Account];
    const accountId = `acct_${"a".repeat(123)}`;
    await admin("POST", "/v1/accounts", { id: accountId, name: "Long" });
    const { key } = (await admin("POST", "/v1/keys", { accountId, name: "Long" })).body;
    const code = await codeOf(ann);
    expect((await running.call(key, "POST", "/v1/referrals", { code })).status).toBe(201);
    await track(bob, code);
    const bought = { accountId, amount: "5", source: "purchase", expiresAt: null };
    await Promise.all([admin("POST", "/v1/grants", bought), buy(bob)]);
    await settle();
    expect(await Promise.all([ann, bob].map(availableOf))).toEqual(["50", "30"]);
    expect((await running.call(key, "GET", "/v1/balance")).body.available).toBe("30");
  });

  it("may wait for a verified mailbox instead", async () => {
    const [ann, bob] = (await accounts(2)) as [Account, Account];
    await track(bob, await codeOf(ann));
    const verified = new Set<AccountId>();
    const terms: ReferralTerms = {
      condition: "verified_mail",
      hasVerifiedMail: (id) => Promise.resolve(verified.has(id)),
    };
    await settle(terms);
    expect(await availableOf(bob)).toBe("0");
    verified.add(bob.id);
    await settle(terms);
    expect(await Promise.all([ann, bob].map(availableOf))).toEqual(["25", "25"]);
  });

  it("of one person that fifty claim at once has one winner", async () => {
    const person = await running.account("0");
    const fifty = await accounts(50);
    const codes = await Promise.all(fifty.map(codeOf));
    const answers = await Promise.all(codes.map((code) => track(person, code)));
    expect(statuses(answers)).toEqual({ 201: 1, 409: 49 });
    await buy(person);
    await settle();
    const available = await Promise.all(fifty.map(availableOf));
    expect(available.filter((amount) => amount !== "0")).toEqual(["25"]);
    expect(await availableOf(person)).toBe("30");
  });

  it("never goes in a circle, of one, of two or of three, also when the circle closes at once", async () => {
    const [ann, bob, cy] = (await accounts(3)) as [Account, Account, Account];
    const [a, b, c] = await Promise.all([ann, bob, cy].map(codeOf));
    expect((await track(ann, a!)).body.error.code).toBe("referral_self");
    await track(bob, a!);
    expect((await track(ann, b!)).body.error.code).toBe("referral_loop");
    await track(cy, b!);
    expect((await track(ann, c!)).body.error.code).toBe("referral_loop");
    expect((await track(cy, a!)).body.error.code).toBe("referral_taken");
    const [dan, eve] = (await accounts(2)) as [Account, Account];
    const [d, e] = await Promise.all([dan, eve].map(codeOf));
    expect(statuses(await Promise.all([track(dan, e!), track(eve, d!)]))).toEqual({ 201: 1, 409: 1 });
  });

  it("comes too late after the first purchase, and needs a code that somebody has", async () => {
    const [ann, bob] = (await accounts(2)) as [Account, Account];
    await buy(bob);
    expect((await track(bob, await codeOf(ann))).body.error.code).toBe("referral_too_late");
    for (const odd of ["ZZZZZZZZ", "", "\u0000"])
      expect((await track(ann, odd)).body.error.code).toBe("code_unknown");
  });

  it("is rewarded a hundred times a referrer, and no more", async () => {
    const [ann, bob, cy] = (await accounts(3)) as [Account, Account, Account];
    const code = await codeOf(ann);
    await running.engine.pool.query(
      `with made as (
         insert into accounts (account_id, name, created_at, hash)
         select 'brought_' || n, 'Brought', now(), decode(repeat('00', 32), 'hex') from generate_series(1, 99) n
         returning account_id)
       insert into referrals (account_id, referrer_id, state, at, closed_at)
       select account_id, $1, 'rewarded', now(), now() from made`,
      [ann.id],
    );
    await Promise.all([track(bob, code), track(cy, code)]);
    await Promise.all([buy(bob), buy(cy)]);
    await settle();
    const available = await Promise.all([ann, bob, cy].map(availableOf));
    expect([available[0], new Set(available.slice(1))]).toEqual(["25", new Set(["30", "5"])]);
    const late = await running.account("0");
    expect((await track(late, code)).body.error.code).toBe("referral_limit");
  });
});

it("after all of this the ledger proves itself", async () => {
  const { rows } = await running.engine.pool.query("select 1 from promised_grants");
  expect(rows).toEqual([]);
  const url = running.engine.pool.options.connectionString!;
  const connect = () => new pg.Client(connectionOptions({ url, applicationName: "test" }));
  expect((await verifyLedger(connect)).problems).toEqual([]);
});
