import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type GrantId, newRequestId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import { grant } from "@bursar/engine/grant/grant";
import type { TopUps } from "@bursar/engine/topup/cover";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Metered, startMetered, until } from "./metered.ts";
import { chunk, startScriptedUpstream } from "./scripted-upstream.ts";

let metered: Metered;
beforeAll(async () => {
  metered = await startMetered(
    { retryDelayMilliseconds: 5, headerPatienceMilliseconds: 50, breakerFailures: 1000 },
    {
      idleMilliseconds: 300,
      headersMilliseconds: 1000,
      firstOutputMilliseconds: 1000,
      wholeMilliseconds: 1000,
    },
  );
});
afterAll(() => metered.close());

type Account = Awaited<ReturnType<Metered["account"]>>;
type Chunk = OpenAI.ChatCompletionChunk & { bursar?: { reason?: string; cost?: string } };

const INPUT = 150n;
const OUTPUT = 600n;
const withUsage = { stream: true as const, stream_options: { include_usage: true } };
const ask = (content: string) => ({
  model: "sandbox-small",
  messages: [{ role: "user" as const, content }],
});

async function collect(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
  const chunks: Chunk[] = [];
  try {
    for await (const one of stream) chunks.push(one);
    return { chunks, error: null };
  } catch (error) {
    return { chunks, error };
  }
}

const spentBy = async (account: Account, granted: string) =>
  credits(granted) - (await account.balance()).available;

async function entriesOf(account: Account, kind: string): Promise<number> {
  const sql = "select count(*)::int as count from entries where account_id = $1 and kind = $2";
  const { rows } = await metered.pool.query<{ count: number }>(sql, [account.id, kind]);
  return rows[0]!.count;
}

const submit = (account: Account, kind: "freeze" | "unfreeze") =>
  metered.ledger.submit({ kind, id: kind, accountId: account.id, by: "test", note: "test" });

describe("the end of credits", () => {
  it.each([{ ...withUsage }, { stream: true as const }])(
    "is told also where the upstream stopped by itself, at the limit that credits set: %j",
    async (options) => {
      const account = await metered.account("0.1");
      const usage = { prompt_tokens: 8, completion_tokens: 100 };
      const text = chunk({ content: "Hello" }) + chunk({ finish: "length", usage }) + "data: [DONE]\n\n";
      const upstream = await startScriptedUpstream((response) => response.end(text));
      const gateway = metered.makeGateway({}, upstream.url);
      const client = await metered.clientOf(account.id, gateway);
      const { chunks, error } = await collect(
        await client.chat.completions.create({ ...ask("Hi"), ...options }),
      );
      expect(error).toBeNull();
      expect(chunks.at(-1)).toMatchObject({ usage, bursar: { reason: "insufficient_credits" } });
      expect(await spentBy(account, "0.1")).toBe(8n * INPUT + 100n * OUTPUT);
      await gateway.close();
      await upstream.close();
    },
  );

  it("is told in a header for an answer in one piece", async () => {
    const account = await metered.account("0.1");
    const request = account.client.chat.completions.create(ask("[[sandbox: tokens=5000]] go"));
    const { data, response } = await request.withResponse();
    expect(data.choices[0]!.finish_reason).toBe("length");
    expect(response.headers.get("x-bursar-reason")).toBe("insufficient_credits");
    expect(await account.balance()).toMatchObject({ held: 0n, owed: 0n });
  });

  it("leaves no debt where nobody limits an answer in one piece: the upstream is told what is held", async () => {
    const account = await metered.account("3");
    const request = account.client.chat.completions.create(ask("[[sandbox: tokens=10000]] go"));
    const { data, response } = await request.withResponse();
    expect(data).toMatchObject({
      choices: [{ finish_reason: "length" }],
      usage: { completion_tokens: 4096 },
    });
    // More would have been paid for, had the caller asked for it.
    expect(response.headers.get("x-bursar-reason")).toBeNull();
    expect(await account.balance()).toMatchObject({ held: 0n, owed: 0n });
  });

  it("does not cut an answer in one piece that nobody limits, where any answer is little of what there is", async () => {
    const account = await metered.account("308");
    const both = await Promise.all(
      [1, 2].map(() => account.client.chat.completions.create(ask("[[sandbox: tokens=10000]] go"))),
    );
    // The longest answer there is costs 79 credits. After one call, that is more than a quarter of what is left.
    const lengths = both.map(({ usage }) => usage!.completion_tokens).sort((a, b) => a - b);
    expect(lengths).toEqual([4096, 10_000]);
    expect(await entriesOf(account, "extend")).toBe(1);
    expect(await entriesOf(account, "spend")).toBe(0);
    expect(await account.balance()).toMatchObject({ held: 0n, owed: 0n });
  });

  it("is not met by a stream of a model that thinks unseen, while the longest answer is held for it", async () => {
    const account = await metered.account("400");
    const bought: string[] = [];
    const topUps: TopUps = {
      waitSeconds: 60,
      isOn: () => Promise.resolve(true),
      cover: async () => {
        bought.push("bought");
        return { kind: "not_covered", reason: "auto_topup_failed" } as never;
      },
    };
    const gateway = metered.makeGateway({}, undefined, topUps);
    const client = await metered.clientOf(account.id, gateway);
    const stream = async (content: string) =>
      client.chat.completions.create({ ...ask(content), model: "sandbox-reasoning", ...withUsage });
    await collect(await stream("[[sandbox: reasoning=200 tokens=20]] go"));
    const long = await stream("[[sandbox: reasoning=10 tokens=10000]] go");
    // Others use all that is left besides.
    const { available } = await account.balance();
    await metered.ledger.submit({
      ...{ kind: "spend", id: `rest_${account.id}`, accountId: account.id, by: "test" },
      amount: available,
    });
    const { chunks } = await collect(long);
    expect(bought).toEqual([]);
    expect(chunks.at(-1)!.bursar?.reason).toBeUndefined();
    expect(chunks.at(-1)!.usage!.completion_tokens).toBe(10_010);
    expect(await entriesOf(account, "extend")).toBe(1);
    await gateway.close();
  });

  it("is not final: a slice that is refused ahead of need is asked for again when it is needed", async () => {
    const account = await metered.account("100");
    const content = "[[sandbox: tokens=400 interval=3ms]] go";
    const stream = await account.client.chat.completions.create({ ...ask(content), ...withUsage });
    await submit(account, "freeze");
    let seen = 0;
    let last: Chunk | undefined;
    for await (const one of stream) {
      seen += 1;
      last = one;
      // The slice ahead was refused by now, and that is on record; there are still tokens left in this one.
      if (seen === 200) await submit(account, "unfreeze");
    }
    expect(last!.bursar?.reason).toBeUndefined();
    expect(last!.usage!.completion_tokens).toBe(400);
  });

  it("is not final while more are being bought, even if that takes longer than an upstream may", async () => {
    const account = await metered.account("0.05");
    const facts = { accountId: account.id, source: "topup", by: "test", amount: credits("50") } as const;
    const topUps: TopUps = {
      waitSeconds: 60,
      isOn: () => Promise.resolve(true),
      cover: async () => {
        await sleep(500);
        await grant(metered, { ...facts, id: `grant_topup_${account.id}` as GrantId });
        return { kind: "added", credits: facts.amount };
      },
    };
    const gateway = metered.makeGateway({ sliceTokens: 16 }, undefined, topUps);
    const client = await metered.clientOf(account.id, gateway);
    const request = { ...ask("[[sandbox: tokens=400 interval=1ms]] go"), ...withUsage };
    const { chunks, error } = await collect(await client.chat.completions.create(request));
    expect(error).toBeNull();
    expect(chunks.at(-1)!.usage!.completion_tokens).toBe(400);
    await gateway.close();
  });

  it("reserves nothing ahead beyond what the caller limits the answer to", async () => {
    const account = await metered.account("10");
    const request = { ...ask("[[sandbox: tokens=90]] go"), ...withUsage, max_tokens: 100 };
    await collect(await account.client.chat.completions.create(request));
    expect(await entriesOf(account, "hold")).toBe(1);
    expect(await entriesOf(account, "extend")).toBe(0);
  });
});

describe("nothing is charged", () => {
  it("for a stream that greets, lets its client wait, and never says a word", async () => {
    const account = await metered.account("10");
    const stream = await account.client.chat.completions.create({
      ...ask("[[sandbox: hang_after=0]] go"),
      stream: true,
    });
    const { error } = await collect(stream);
    expect(error).toMatchObject({ code: "upstream_timeout" });
    expect(await account.balance()).toMatchObject({ available: credits("10"), held: 0n });
  });

  it.each([
    ["delay=3s", 504, "upstream_timeout"],
    ["status=404", 502, "upstream_failed"],
    ["status=401", 502, "upstream_failed"],
    ["status=400 code=context_length_exceeded", 400, "context_length_exceeded"],
    ["status=429 retry_after=30", 429, "rate_limited"],
    ["status=503", 502, "upstream_failed"],
    ["reset", 502, "upstream_failed"],
  ])("for %s, whether it streams or not", async (fault, status, code) => {
    const account = await metered.account("10");
    for (const options of [{}, { stream: true as const }]) {
      const request = account.client.chat.completions.create({
        ...ask(`[[sandbox: ${fault}]] go`),
        ...options,
      });
      const error: unknown = await request.then(
        () => null,
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({ status, code });
      if (!(error instanceof OpenAI.APIError)) throw error;
      expect(JSON.stringify(error.error)).not.toMatch(/api key|127\.0\.0\.1/i);
      if (status === 429) expect((error.headers as Headers).get("retry-after")).toBe("30");
    }
    expect(await account.balance()).toMatchObject({ available: credits("10"), held: 0n });
  });

  it.each([{ error: { message: "boom", code: 429 } }, { error: "boom", choices: [] }, {}, { choices: [] }])(
    "for an answer with status 200 that is none, nor is it passed on as one: %j",
    async (answer) => {
      const account = await metered.account("10");
      const upstream = await startScriptedUpstream((response) => response.end(JSON.stringify(answer)));
      const gateway = metered.makeGateway({}, upstream.url);
      const client = await metered.clientOf(account.id, gateway);
      const request = client.chat.completions.create(ask("Hi"));
      await expect(request).rejects.toMatchObject({ status: 502, code: "upstream_failed" });
      expect(await account.balance()).toMatchObject({ available: credits("10"), held: 0n });
      await gateway.close();
      await upstream.close();
    },
  );

  it("for an answer that is too large, and it is not asked for again", async () => {
    const account = await metered.account("10");
    let asked = 0;
    const upstream = await startScriptedUpstream((response) => {
      asked += 1;
      response.end(`{"data":[{"index":0,"embedding":[${"0.5,".repeat(200_000)}0]}]}`);
    });
    const gateway = metered.makeGateway({ answerLimitBytes: 1000 }, upstream.url);
    const client = await metered.clientOf(account.id, gateway);
    const request = client.embeddings.create({ model: "sandbox-embedding", input: "Hi" });
    const error: unknown = await request.catch((caught: unknown) => caught);
    expect(asked).toBe(1);
    expect(error).toMatchObject({ status: 502, message: expect.stringContaining("larger") });
    expect(await account.balance()).toMatchObject({ available: credits("10"), held: 0n });
    await gateway.close();
    await upstream.close();
  });

  it("where the hold was made but its answer was lost", async () => {
    const account = await metered.account("10");
    const before = metered.model.requests.list().length;
    metered.loseAnswers(true);
    const error = await account.client.chat.completions.create(ask("Hi")).catch((caught: unknown) => caught);
    metered.loseAnswers(false);
    expect(error).toMatchObject({ status: 503 });
    expect(metered.model.requests.list()).toHaveLength(before);
    await until(async () => (await account.balance()).held === 0n);
    expect((await account.balance()).available).toBe(credits("10"));
  });
});

describe("what the upstream says it used", () => {
  const through = async (account: Account, write: (usage: object) => string[], usage: object) => {
    const upstream = await startScriptedUpstream((response) => response.end(write(usage).join("")));
    const gateway = metered.makeGateway({}, upstream.url);
    const client = await metered.clientOf(account.id, gateway);
    const done = await collect(await client.chat.completions.create({ ...ask("Hi"), ...withUsage }));
    await gateway.close();
    await upstream.close();
    return done;
  };
  const inLastChunk = (usage: object) => [
    chunk({ content: "Hello" }),
    chunk({ content: " you" }),
    chunk({ finish: "stop", usage }),
    "data: [DONE]\n\n",
  ];

  it("counts where it comes with the last words and not in a chunk of its own", async () => {
    const account = await metered.account("10");
    const { chunks } = await through(account, inLastChunk, { prompt_tokens: 11, completion_tokens: 1 });
    expect(await spentBy(account, "10")).toBe(11n * INPUT + 1n * OUTPUT);
    expect(chunks.at(-1)!.bursar?.cost).toBe("0.00225");
  });

  it("counts also where it is far from what was sent", async () => {
    const account = await metered.account("10");
    const content = "[[sandbox: tokens=10 usage_input=1000 usage_output=2000]] go";
    await collect(await account.client.chat.completions.create({ ...ask(content), ...withUsage }));
    expect(await spentBy(account, "10")).toBe(1000n * INPUT + 2000n * OUTPUT);
  });

  it.each([
    { prompt_tokens: -5, completion_tokens: 2 },
    { prompt_tokens: 5, completion_tokens: 1.5 },
    { prompt_tokens: "5", completion_tokens: 2 },
    { prompt_tokens: 5, completion_tokens: 1e12 },
    { prompt_tokens: 0, completion_tokens: 0 },
  ])("does not count where it cannot be: %j", async (usage) => {
    const account = await metered.account("10");
    await through(account, inLastChunk, usage);
    // "Hello you" and the prompt "Hi", by the gateway's own count: 4 tokens a message, 3 to begin the answer.
    expect(await spentBy(account, "10")).toBe((1n + 4n + 3n) * INPUT + 2n * OUTPUT);
  });

  it.each([{}, { completion_tokens: null }, { completion_tokens: 0 }])(
    "leaves the output to be counted where it says none of what has come: %j",
    async (output) => {
      const account = await metered.account("10");
      const { chunks } = await through(account, inLastChunk, { prompt_tokens: 5, ...output });
      expect(await spentBy(account, "10")).toBe(5n * INPUT + 2n * OUTPUT);
      expect(chunks.at(-1)!.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 2 });
    },
  );

  const usageChunk = (usage: object) => `data: ${JSON.stringify({ choices: [], usage })}\n\n`;

  const early = usageChunk({ prompt_tokens: 1, completion_tokens: 0 });
  it.each([
    [
      "without a list of choices",
      (usage: object) => [
        ...[chunk({ content: "Hello" }), chunk({ finish: "stop" })],
        ...[`data: ${JSON.stringify({ choices: null, usage })}\n\n`, "data: [DONE]\n\n"],
      ],
    ],
    [
      "at first in a chunk of its own, and then with the last words",
      (usage: object) => [early, ...inLastChunk(usage)],
    ],
  ])("counts, and is shown, where it comes %s", async (_, write) => {
    const account = await metered.account("10");
    const usage = { prompt_tokens: 11, completion_tokens: 7 };
    const { chunks, error } = await through(account, write, usage);
    expect(error).toBeNull();
    expect(chunks.at(-1)!.usage).toMatchObject(usage);
    expect(await spentBy(account, "10")).toBe(11n * INPUT + 7n * OUTPUT);
  });

  it("is not all where more has come after it", async () => {
    const account = await metered.account("10");
    const write = (usage: object) => [usageChunk(usage), ...inLastChunk({}).slice(0, 2), "data: [DONE]\n\n"];
    await through(account, write, { prompt_tokens: 5, completion_tokens: 1 });
    expect(await spentBy(account, "10")).toBe(5n * INPUT + 2n * OUTPUT);
  });

  it("is no end where not a word has come: that is told to the client as broken", async () => {
    const account = await metered.account("10");
    const { error } = await through(account, (usage) => [usageChunk(usage)], {
      prompt_tokens: 5,
      completion_tokens: 0,
    });
    expect(error).toMatchObject({ code: "upstream_failed" });
  });

  it("is none where it is all zeros and nothing has come: that costs nothing", async () => {
    const account = await metered.account("10");
    await through(account, (usage) => [usageChunk(usage)], { prompt_tokens: 0, completion_tokens: 0 });
    expect(await spentBy(account, "10")).toBe(0n);
  });

  it("is no end before the answer: what breaks off after it is told to the client as broken", async () => {
    const account = await metered.account("10");
    const write = (usage: object) => [usageChunk(usage), ...inLastChunk({}).slice(0, 2)];
    const { error } = await through(account, write, { prompt_tokens: 5, completion_tokens: 0 });
    expect(error).toMatchObject({ code: "upstream_failed" });
    expect(await spentBy(account, "10")).toBe(5n * INPUT + 2n * OUTPUT);
  });

  it("counts also for a client that has left with the last word", async () => {
    const account = await metered.account("10");
    const usage = { prompt_tokens: 1000, completion_tokens: 5000 };
    let hasLeft: () => void;
    const upstream = await startScriptedUpstream((response) => {
      response.write(chunk({ content: "Hello" }) + chunk({ finish: "stop" }));
      hasLeft = () => setTimeout(() => response.end(`${usageChunk(usage)}data: [DONE]\n\n`), 50);
    });
    const gateway = metered.makeGateway({}, upstream.url);
    const client = await metered.clientOf(account.id, gateway);
    const stream = await client.chat.completions.create({ ...ask("Hi"), stream: true });
    for await (const { choices } of stream) if (choices[0]!.finish_reason === "stop") break;
    hasLeft!();
    await until(async () => (await account.balance()).held === 0n);
    expect(await spentBy(account, "10")).toBe(1000n * INPUT + 5000n * OUTPUT);
    await gateway.close();
    await upstream.close();
  });

  it("is asked for, whatever the caller wants to see, and under the caller's own limits", async () => {
    const account = await metered.account("10");
    const request = { ...ask("unique question"), stream: true as const, max_tokens: 5 };
    await collect(await account.client.chat.completions.create(request));
    const { body } = metered.model.requests.list().at(-1)!;
    expect(body).toMatchObject({ stream_options: { include_usage: true }, max_tokens: 5 });
  });
});

it("tells an upstream how long a stream can be paid for, without credits that are for other features", async () => {
  const account = await metered.account("1");
  const images = { id: `images_${account.id}` as GrantId, accountId: account.id, scope: ["images"] };
  await grant(metered, { ...images, source: "purchase", amount: credits("1000"), by: "test" });
  const request = { ...ask("go"), model: "sandbox-large", stream: true as const };
  await collect(await account.client.chat.completions.create(request));
  const { body } = metered.model.requests.list().at(-1)!;
  // 1 credit at 10,000 a million, less the prompt.
  expect(body).toMatchObject({ max_tokens: expect.any(Number) });
  expect((body as { max_tokens: number }).max_tokens).toBeLessThanOrEqual(100);
});

it("raises no limit of its caller's to what credits pay for", async () => {
  const account = await metered.account("0.5");
  const request = { ...ask("go"), max_tokens: 5, max_completion_tokens: 100_000 };
  await account.client.chat.completions.create(request);
  const { body } = metered.model.requests.list().at(-1)!;
  expect(body).toMatchObject({ max_tokens: 5, max_completion_tokens: expect.any(Number) });
  expect((body as { max_completion_tokens: number }).max_completion_tokens).toBeLessThan(1000);
});

it("asks an upstream for an answer that is not compressed: what comes is read as it is", async () => {
  const account = await metered.account("10");
  let asked: unknown;
  const upstream = await startScriptedUpstream((response) => {
    asked = response.req.headers["accept-encoding"];
    response.end(JSON.stringify({ choices: [{ index: 0, message: { content: "Hello" } }] }));
  });
  const gateway = metered.makeGateway({}, upstream.url);
  const client = await metered.clientOf(account.id, gateway);
  await client.chat.completions.create(ask("Hi"));
  expect(asked).toBe("identity");
  await gateway.close();
  await upstream.close();
});

describe("several answers and tools", () => {
  it("charges all choices of a stream, and ends each", async () => {
    const account = await metered.account("10");
    const request = { ...ask("[[sandbox: tokens=120]] go"), ...withUsage, n: 3 };
    const { chunks } = await collect(await account.client.chat.completions.create(request));
    const finished = chunks.flatMap(({ choices }) =>
      choices.filter((choice) => choice.finish_reason === "stop").map(({ index }) => index),
    );
    expect(finished.sort((a, b) => a - b)).toEqual([0, 1, 2]);
    const { prompt_tokens: input, completion_tokens: output } = chunks.at(-1)!.usage!;
    expect(output).toBe(360);
    expect(await spentBy(account, "10")).toBe(BigInt(input) * INPUT + BigInt(output) * OUTPUT);
  });

  it("passes tool calls on, and counts them where the upstream does not", async () => {
    const account = await metered.account("10");
    const stream = await account.client.chat.completions.create({
      ...ask('[[sandbox: tool=get_weather args={"city":"Paris"} no_usage]] weather?'),
      stream: true,
      tools: [{ type: "function", function: { name: "get_weather", parameters: { type: "object" } } }],
    });
    const { chunks } = await collect(stream);
    const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    expect(calls[0]!.function!.name).toBe("get_weather");
    expect(JSON.parse(calls.map((call) => call.function?.arguments ?? "").join(""))).toEqual({
      city: "Paris",
    });
    expect(await spentBy(account, "10")).toBeGreaterThan(5n * OUTPUT);
  });
});

describe("an upstream that is down", () => {
  it("is left alone for a while, is probed, and is used again; callers' mistakes do not count", async () => {
    const account = await metered.account("10");
    const settings = { retries: 0, breakerFailures: 3, breakerSeconds: 1 };
    const gateway = metered.makeGateway(settings);
    const client = await metered.clientOf(account.id, gateway);
    const statusOf = (content: string) =>
      client.chat.completions.create(ask(content)).then(
        () => 200,
        (error: { status: number }) => error.status,
      );
    for (let index = 0; index < 5; index += 1) expect(await statusOf("[[sandbox: status=400]] x")).toBe(400);
    for (let index = 0; index < 3; index += 1) expect(await statusOf("[[sandbox: status=500]] x")).toBe(502);
    const asked = metered.model.requests.list().length;
    expect(await statusOf("Hello")).toBe(503);
    expect(metered.model.requests.list()).toHaveLength(asked);
    await until(async () => (await statusOf("Hello")) === 200);
    expect(await account.balance()).toMatchObject({ held: 0n });
    await gateway.close();
  });

  it("is closed to whoever asks what it fails at, and to nobody else", async () => {
    const gateway = metered.makeGateway({ breakerFailures: 3 });
    const [one, other] = [await metered.account("10"), await metered.account("10")];
    const statusOf = async ({ id }: Account, content: string) => {
      const client = await metered.clientOf(id, gateway);
      const answer = client.chat.completions.create({ ...ask(content), stream: true }).withResponse();
      return answer
        .then(({ response }) => response.status)
        .catch((error: { status: number }) => error.status);
    };
    for (let call = 0; call < 3; call += 1)
      expect(await statusOf(one, "[[sandbox: status=500]] x")).toBe(502);
    expect(await statusOf(one, "Hello")).toBe(503);
    expect(await statusOf(other, "Hello")).toBe(200);
    await gateway.close();
  });
});

describe("a client that leaves before there is an answer", () => {
  const usage = { prompt_tokens: 1000, completion_tokens: 5000 };
  const whole = JSON.stringify({ choices: [{ index: 0, message: { content: "Hello" } }], usage });
  const counted = (1n + 4n + 3n) * INPUT;

  it.each([
    [
      "in one piece: all of it",
      {},
      (response: ServerResponse) => response.end(whole),
      1000n * INPUT + 5000n * OUTPUT,
    ],
    ["in one piece: nothing where it fails", {}, (response: ServerResponse) => response.destroy(), 0n],
    [
      "as a stream: the prompt",
      { stream: true },
      (response: ServerResponse) => response.flushHeaders(),
      counted,
    ],
    ["as a stream: nothing where none comes", { stream: true }, () => undefined, 0n],
  ])("pays for what the upstream does all the same, %s", async (_, options, answer, cost) => {
    const account = await metered.account("10");
    const asked = Promise.withResolvers<ServerResponse>();
    const upstream = await startScriptedUpstream(asked.resolve);
    const gateway = metered.makeGateway({}, upstream.url);
    const leaving = new AbortController();
    const call = { body: { ...ask("Hi"), ...options }, signal: leaving.signal, requestId: newRequestId() };
    const principal = { accountId: account.id, keyId: null, by: "key:test", caps: [] };
    const done = gateway.chatCompletions({ ...call, principal });
    const response = await asked.promise;
    leaving.abort();
    answer(response);
    await done;
    expect(await account.balance()).toMatchObject({ available: credits("10") - cost, held: 0n });
    await gateway.close();
    await upstream.close();
  });
});

it("ends what a client has left behind when the server does", async () => {
  const account = await metered.account("10");
  const asked = Promise.withResolvers<ServerResponse>();
  const upstream = await startScriptedUpstream(asked.resolve);
  const gateway = metered.makeGateway({}, upstream.url);
  const leaving = new AbortController();
  const principal = { accountId: account.id, keyId: null, by: "key:test", caps: [] };
  const call = { body: ask("Hi"), signal: leaving.signal, requestId: newRequestId(), principal };
  const answer = gateway.chatCompletions(call);
  await asked.promise;
  leaving.abort();
  await gateway.close(0);
  // Not upstream_timeout: that would have been waited for.
  expect(await (await answer).json()).toMatchObject({ error: { code: "unavailable" } });
  expect(await account.balance()).toMatchObject({ available: credits("10"), held: 0n });
  await upstream.close();
});

describe("a client that does not read", () => {
  it("makes the upstream wait, and is charged for what was taken when patience ends", async () => {
    const account = await metered.account("100");
    const response = await fetch(`${metered.baseURL}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${account.id}` },
      body: JSON.stringify({ ...ask("[[sandbox: tokens=100000]] go"), stream: true }),
    });
    await until(async () => (await account.balance()).held === 0n);
    const { tokensSent } = metered.model.requests.list().at(-1)!;
    expect(tokensSent).toBeLessThan(100_000);
    expect(await spentBy(account, "100")).toBeGreaterThan(1000n * OUTPUT);
    await response.body!.cancel();
  });
});

describe("waiting and shutting down", () => {
  it("lets a model think without a sign for longer than a stream may stall, and its client have headers", async () => {
    const account = await metered.account("10");
    const text = chunk({ content: "Hello" }) + chunk({ finish: "stop" }) + "data: [DONE]\n\n";
    const { promise: isThoughtOut, resolve: thinkingEnds } = Promise.withResolvers<void>();
    const upstream = await startScriptedUpstream((response) => {
      response.flushHeaders();
      void isThoughtOut.then(() => response.end(text));
    });
    const gateway = metered.makeGateway({}, upstream.url);
    const client = await metered.clientOf(account.id, gateway);
    const stream = await client.chat.completions.create({ ...ask("Hi"), stream: true });
    // Twice as long as it may be silent once it has begun to speak.
    setTimeout(thinkingEnds, 600);
    expect(await collect(stream)).toMatchObject({ error: null, chunks: [{}, {}] });
    await gateway.close();
    await upstream.close();
  });

  it("keeps the hold alive while an answer in one piece is awaited", async () => {
    const account = await metered.account("10");
    const gateway = metered.makeGateway({ holdSeconds: 0.2 });
    const client = await metered.clientOf(account.id, gateway);
    await client.chat.completions.create(ask("[[sandbox: delay=600ms]] go"));
    expect(await entriesOf(account, "extend")).toBeGreaterThanOrEqual(2);
    expect(await account.balance()).toMatchObject({ held: 0n });
    await gateway.close();
  });

  it("ends running streams with an error that clients see, charges the part, and takes nothing new", async () => {
    const account = await metered.account("10");
    const gateway = metered.makeGateway({ drainSeconds: 0.05 });
    const client = await metered.clientOf(account.id, gateway);
    const content = "[[sandbox: tokens=2000 interval=5ms]] go";
    const stream = await client.chat.completions.create({ ...ask(content), stream: true });
    const chunks = stream[Symbol.asyncIterator]();
    for (let seen = 0; seen < 3; seen += 1) await chunks.next();
    const rest = async () => {
      while (!(await chunks.next()).done);
    };
    const [ended] = await Promise.allSettled([rest(), gateway.close()]);
    expect(ended).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
    expect(await account.balance()).toMatchObject({ held: 0n });
    expect(await spentBy(account, "10")).toBeGreaterThan(0n);
    await expect(client.chat.completions.create(ask("Hi"))).rejects.toMatchObject({ status: 503 });
  });
});
