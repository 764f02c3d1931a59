import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { GrantId } from "@bursar/contract/ids";
import { credits, formatCredits } from "@bursar/contract/money";
import { verifyLedger } from "@bursar/engine/ledger/verify";
import { receipt } from "@bursar/engine/receipt/receipt";
import { streamText } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientsOf } from "../../engine/test/ledger-on-test-database.ts";
import { type Metered, startMetered, until } from "./metered.ts";
import { chunk, startScriptedUpstream } from "./scripted-upstream.ts";

let metered: Metered;
beforeAll(async () => {
  metered = await startMetered(
    { retryDelayMilliseconds: 5, headerPatienceMilliseconds: 200, breakerFailures: 1000 },
    {
      idleMilliseconds: 1500,
      headersMilliseconds: 1000,
      firstOutputMilliseconds: 1000,
      wholeMilliseconds: 1000,
    },
  );
});
afterAll(() => metered.close());

const ask = (content: string, model = "sandbox-small") => {
  return { model, messages: [{ role: "user" as const, content }] };
};

/** What the usage costs at the test's prices for sandbox-small. */
const costOf = (usage: { prompt_tokens: number; completion_tokens: number }) =>
  BigInt(usage.prompt_tokens) * 150n + BigInt(usage.completion_tokens) * 600n;

type Bursar = { cost: string; remaining: string; requestId: string; reason?: string };
const bursarOf = (chunk: unknown) => (chunk as { bursar: Bursar }).bursar;

async function collect(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  let error: unknown = null;
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch (caught) {
    error = caught;
  }
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  return { chunks, text, error, last: chunks.at(-1)! };
}

describe("what is charged", () => {
  it("is exactly the upstream's usage, for an answer in one piece", async () => {
    const account = await metered.account("10");
    const { data, response } = await account.client.chat.completions.create(ask("Hello")).withResponse();
    const after = await account.balance();
    expect(after.available).toBe(credits("10") - costOf(data.usage!));
    expect(after.held).toBe(0n);
    expect(response.headers.get("x-bursar-cost")).toBe(formatCredits(costOf(data.usage!)));
    expect(response.headers.get("x-bursar-remaining")).toBe(formatCredits(after.available));
    const told = await receipt(metered, account.id, response.headers.get("x-request-id")!);
    expect(told).toMatchObject({
      decision: "allow",
      charged: costOf(data.usage!),
      pricing: { priceVersion: 1 },
    });
  });

  it("is exactly the upstream's usage, for a stream, and its last chunk says so", async () => {
    const account = await metered.account("10");
    const options = { stream: true as const, stream_options: { include_usage: true } };
    const stream = await account.client.chat.completions.create({
      ...ask("[[sandbox: tokens=700]] go"),
      ...options,
    });
    const { last, error } = await collect(stream);
    expect(error).toBeNull();
    const after = await account.balance();
    expect(last.usage!.completion_tokens).toBe(700);
    expect(after.available).toBe(credits("10") - costOf(last.usage!));
    expect(after.held).toBe(0n);
    expect(bursarOf(last)).toMatchObject({
      cost: formatCredits(costOf(last.usage!)),
      remaining: formatCredits(after.available),
    });
  });

  it("counts cached input at its own price", async () => {
    const account = await metered.account("10");
    const answer = await account.client.chat.completions.create(ask("[[sandbox: cached=8]] Hello"));
    const { prompt_tokens: input, completion_tokens: output } = answer.usage!;
    const cost = BigInt(input - 8) * 150n + 8n * 75n + BigInt(output) * 600n;
    expect((await account.balance()).available).toBe(credits("10") - cost);
  });

  it("hides the usage chunk from a client that did not ask for it", async () => {
    const account = await metered.account("10");
    const { chunks } = await collect(
      await account.client.chat.completions.create({ ...ask("Hi"), stream: true }),
    );
    expect(chunks.every((chunk) => chunk.choices.length === 1)).toBe(true);
  });

  it("covers several choices, older completions and embeddings", async () => {
    const account = await metered.account("10");
    const several = await account.client.chat.completions.create({ ...ask("Hi"), n: 3 });
    expect(several.choices).toHaveLength(3);
    const older = await account.client.completions.create({ model: "sandbox-small", prompt: "Once upon" });
    const vectors = await account.client.embeddings.create({
      model: "sandbox-embedding",
      input: ["a b c", "d"],
    });
    const cost = costOf(several.usage!) + costOf(older.usage!) + BigInt(vectors.usage.prompt_tokens) * 20n;
    expect((await account.balance()).available).toBe(credits("10") - cost);
  });

  it("is the gateway's own count where the upstream gives no usage", async () => {
    const account = await metered.account("10");
    const stream = await account.client.chat.completions.create({
      ...ask("[[sandbox: tokens=50 no_usage]] go"),
      stream: true,
    });
    await collect(stream);
    const spent = credits("10") - (await account.balance()).available;
    expect(spent).toBeGreaterThan(20n * 600n);
    expect(spent).toBeLessThan(200n * 600n);
  });

  it("works with the AI SDK by base URL alone", async () => {
    const account = await metered.account("10");
    const provider = createOpenAICompatible({
      name: "bursar",
      baseURL: metered.baseURL,
      apiKey: account.id,
      includeUsage: true,
    });
    const answer = streamText({ model: provider("sandbox-small"), prompt: "Hello" });
    expect((await answer.text).length).toBeGreaterThan(10);
    const usage = await answer.usage;
    const cost = costOf({ prompt_tokens: usage.inputTokens!, completion_tokens: usage.outputTokens! });
    expect((await account.balance()).available).toBe(credits("10") - cost);
  });
});

describe("a model that costs nothing", () => {
  const free = ask("[[sandbox: tokens=700]] go", "sandbox-coder");

  it("answers on an empty account, in one piece and as a stream", async () => {
    const account = await metered.account("0");
    const { response } = await account.client.chat.completions.create(free).withResponse();
    expect(response.headers.get("x-bursar-cost")).toBe("0");
    const stream = await account.client.chat.completions.create({ ...free, stream: true });
    const { chunks, error } = await collect(stream);
    expect(error).toBeNull();
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe("stop");
    expect(await account.balance()).toMatchObject({ available: 0n, held: 0n, owed: 0n });
  });

  it("answers neither a frozen account nor one in debt", async () => {
    const [frozen, indebted] = [await metered.account("10"), await metered.account("1")];
    const { ledger } = metered;
    await ledger.submit({ kind: "freeze", id: "f", accountId: frozen.id, by: "test", note: "test" });
    const spent = { accountId: indebted.id, by: "test", amount: credits("1") };
    await ledger.submit({ ...spent, kind: "spend", id: "s" });
    const grantId = `grant_${indebted.id}` as GrantId;
    await ledger.submit({ ...spent, kind: "revoke", id: "r", grantId, note: "test" });
    const codeOf = ({ client }: typeof frozen) =>
      client.chat.completions.create(free).catch((error: { code: string }) => error.code);
    expect(await codeOf(frozen)).toBe("account_frozen");
    expect(await codeOf(indebted)).toBe("in_debt");
  });
});

describe("when credits end", () => {
  it("stops the stream cleanly, says why, and charges no more than there was", async () => {
    const account = await metered.account("0.5");
    const stream = await account.client.chat.completions.create({
      ...ask("[[sandbox: tokens=5000]] go"),
      stream: true,
    });
    const { chunks, last, error } = await collect(stream);
    expect(error).toBeNull();
    expect(chunks.some((chunk) => chunk.choices[0]?.finish_reason === "length")).toBe(true);
    expect(bursarOf(last).reason).toBe("insufficient_credits");
    const after = await account.balance();
    expect(after).toMatchObject({ held: 0n, owed: 0n });
    expect(after.available).toBeGreaterThanOrEqual(0n);
    expect(credits("0.5") - after.available).toBe(costOf(last.usage!));
  });

  it("refuses before the upstream is asked, and says what is missing", async () => {
    const account = await metered.account("0");
    const before = metered.model.requests.list().length;
    const error = await account.client.chat.completions.create(ask("Hi")).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ status: 402, code: "insufficient_credits" });
    expect(metered.model.requests.list()).toHaveLength(before);
  });

  it("lets parallel streams of a model that thinks unseen not overspend either, once any process knows it for that", async () => {
    const account = await metered.account("5");
    const gateway = metered.makeGateway();
    const client = await metered.clientOf(account.id, gateway);
    const think = async (tokens: number, client: OpenAI) => {
      const content = `[[sandbox: reasoning=${tokens} tokens=20]] go`;
      const request = {
        model: "sandbox-reasoning",
        max_tokens: 8000,
        messages: [{ role: "user" as const, content }],
      };
      return collect(await client.chat.completions.create({ ...request, stream: true }));
    };
    await think(200, client);
    const isKept = () => metered.pool.query("select from thinkers").then(({ rowCount }) => rowCount === 1);
    await until(isKept);
    const started = metered.makeGateway();
    const other = await metered.clientOf(account.id, started);
    const streams = await Promise.allSettled(Array.from({ length: 20 }, () => think(5000, other)));
    expect(streams.some(({ status }) => status === "fulfilled")).toBe(true);
    expect(await account.balance()).toMatchObject({ held: 0n, owed: 0n });
    await Promise.all([gateway.close(), started.close()]);
  });

  const LONG = "word ".repeat(100_000);
  it.each([
    { messages: [{ role: "assistant", content: null, function_call: { name: "f", arguments: LONG } }] },
    { messages: [{ role: "assistant", content: "Hi", reasoning_content: LONG }] },
    { messages: [{ role: "user", content: "Hi", Content: LONG }] },
    { messages: [{ role: "user", content: { text: LONG } }] },
    { messages: [{ role: LONG, content: "Hi" }] },
    { messages: [{ role: "user", content: [LONG] }] },
    { messages: [{ role: "user", content: [{ type: "text", text: "Hi", Text: LONG }] }] },
    { messages: [{ role: "user", content: "Hi" }], prediction: { type: "content", content: LONG } },
    { messages: [{ role: "user", content: "Hi" }], documents: [{ text: LONG }] },
  ])("reserves for all that a model may read, wherever it stands: case %#", async (body) => {
    const account = await metered.account("1");
    const before = metered.model.requests.list().length;
    const request = { model: "sandbox-small", max_tokens: 5, ...body } as OpenAI.ChatCompletionCreateParams;
    await expect(account.client.chat.completions.create(request)).rejects.toMatchObject({ status: 402 });
    expect(metered.model.requests.list()).toHaveLength(before);
  });

  it("reserves for a completion's suffix", async () => {
    const account = await metered.account("1");
    const request = { model: "sandbox-small", prompt: "Hi", suffix: LONG };
    await expect(account.client.completions.create(request)).rejects.toMatchObject({ status: 402 });
  });

  it("stops at a key's cap too", async () => {
    const account = await metered.account("100", [{ id: "key_cap", limit: credits("0.5"), window: "total" }]);
    const stream = await account.client.chat.completions.create({
      ...ask("[[sandbox: tokens=5000]] go"),
      stream: true,
    });
    const { last } = await collect(stream);
    expect(bursarOf(last).reason).toBe("cap_exceeded");
    expect(credits("100") - (await account.balance()).available).toBeLessThanOrEqual(credits("0.5"));
  });

  it("lets a hundred parallel streams share one small account without overspending it", async () => {
    const account = await metered.account("2");
    const options = { stream: true as const, stream_options: { include_usage: true } };
    const runs = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const request = account.client.chat.completions.create({
          ...ask("[[sandbox: tokens=300]] go"),
          ...options,
        });
        const stream = await request.catch((error: { status: number }) => error.status);
        return typeof stream === "number" ? stream : collect(stream);
      }),
    );
    const served = runs.filter((run) => typeof run !== "number");
    const after = await account.balance();
    const charged = served.reduce((sum, { last }) => sum + costOf(last.usage!), 0n);
    expect(after).toMatchObject({ held: 0n, owed: 0n, available: credits("2") - charged });
    expect(runs.filter((run) => typeof run === "number").every((status) => status === 402)).toBe(true);
    const { problems } = await verifyLedger(clientsOf(metered.pool.options.connectionString!));
    expect(problems).toEqual([]);
  });
});

describe("when something breaks", () => {
  it("bills the partial when the client goes away, and hangs up on the upstream", async () => {
    const account = await metered.account("10");
    const content = "[[sandbox: tokens=5000 interval=5ms]] go";
    const stream = await account.client.chat.completions.create({ ...ask(content), stream: true });
    let seen = 0;
    for await (const _ of stream) if (++seen === 20) break;
    await until(async () => (await account.balance()).held === 0n);
    const spent = credits("10") - (await account.balance()).available;
    expect(spent).toBeGreaterThan(18n * 600n);
    expect(spent).toBeLessThan(2000n * 600n);
    await until(() => metered.model.requests.list().some(({ outcome }) => outcome === "client_gone"));
  });

  it.each(["status=500", "status=401", "empty cut_after=0", "malformed_after=0", "status=400"])(
    "bills nothing when the upstream fails before the first token: %s",
    async (fault) => {
      const account = await metered.account("10");
      const request = account.client.chat.completions.create({
        ...ask(`[[sandbox: ${fault}]] go`),
        stream: true,
      });
      await expect(request).rejects.toThrow(OpenAI.APIError);
      expect(await account.balance()).toMatchObject({ available: credits("10"), held: 0n });
    },
  );

  it.each(["cut_after=30", "malformed_after=30", "hang_after=30", "error_after=30"])(
    "tells the client, and bills what was delivered, when the upstream fails midway: %s",
    async (fault) => {
      const account = await metered.account("10");
      const content = `[[sandbox: tokens=200 ${fault}]] go`;
      const stream = await account.client.chat.completions.create({ ...ask(content), stream: true });
      const { error, text } = await collect(stream);
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect(text.length).toBeGreaterThan(10);
      const after = await account.balance();
      expect(after.held).toBe(0n);
      expect(after.available).toBeLessThan(credits("10"));
      expect(after.available).toBeGreaterThan(credits("9.8"));
    },
  );

  it("asks no upstream when the ledger cannot be asked", async () => {
    const account = await metered.account("10");
    const before = metered.model.requests.list().length;
    metered.breakLedger(true);
    const error = await account.client.chat.completions.create(ask("Hi")).catch((caught: unknown) => caught);
    metered.breakLedger(false);
    expect(error).toMatchObject({ status: 503 });
    expect(metered.model.requests.list()).toHaveLength(before);
  });

  it("bills what was delivered as soon as the ledger is back, once", async () => {
    const account = await metered.account("10");
    const content = "[[sandbox: tokens=100 interval=5ms]] go";
    const stream = await account.client.chat.completions.create({ ...ask(content), stream: true });
    metered.breakLedger(true);
    const { error } = await collect(stream);
    metered.breakLedger(false);
    expect(error).toBeNull();
    await until(async () => (await account.balance()).held === 0n);
    const spent = credits("10") - (await account.balance()).available;
    expect(spent).toBeGreaterThan(100n * 600n);
    expect(spent).toBeLessThan(200n * 600n);
  });

  it("retries a rate limit before the first byte, and bills once", async () => {
    const account = await metered.account("10");
    metered.model.faults.add({ directive: "status=429 retry_after=0", times: 1 });
    const answer = await account.client.chat.completions.create(ask("Hello"));
    expect((await account.balance()).available).toBe(credits("10") - costOf(answer.usage!));
  });

  it("settles at the cost last reported when its process dies", async () => {
    const account = await metered.account("10");
    const doomed = metered.makeGateway();
    const principal = { accountId: account.id, keyId: null, by: "key:test", caps: [] };
    const body = { ...ask("[[sandbox: tokens=3000 hang_after=1500]] go"), stream: true };
    const response = await doomed.chatCompletions({
      body,
      principal,
      requestId: "req_doomed",
      signal: new AbortController().signal,
    });
    const reader = response.body!.getReader();
    let text = "";
    while (text.split("data: ").length <= 1500) text += new TextDecoder().decode((await reader.read()).value);
    // After this, nothing that the stream has asked of the ledger is under way any more.
    const flush = {
      kind: "unfreeze",
      id: "flush",
      accountId: account.id,
      by: "test",
      note: "flush",
    } as const;
    await metered.ledger.submit(flush);
    metered.advance(3600);
    await metered.sweep();
    const after = await account.balance();
    expect(after.held).toBe(0n);
    expect(after.available).toBeLessThan(credits("9.5"));
    await reader.cancel();
  });
});

describe("the report of a stream that says little", () => {
  it("is what was counted, and no bound: so much is billed when its process dies", async () => {
    const account = await metered.account("10");
    const upstream = await startScriptedUpstream(
      (response) => void response.write(chunk({ content: " considerations" }).repeat(15)),
    );
    const doomed = metered.makeGateway({ reportSeconds: 0.05 }, upstream.url);
    const client = await metered.clientOf(account.id, doomed);
    const stream = await client.chat.completions.create({ ...ask("Hi"), stream: true });
    const isReported = async () => {
      const sql = "select count(*)::int as count from entries where account_id = $1 and kind = 'extend'";
      const { rows } = await metered.pool.query<{ count: number }>(sql, [account.id]);
      return rows[0]!.count > 1;
    };
    await until(isReported);
    // It renews its hold meanwhile.
    await until(async () => {
      metered.advance(3600);
      await metered.sweep();
      return (await account.balance()).held === 0n;
    });
    const spent = credits("10") - (await account.balance()).available;
    const input = 8n * 150n;
    expect(spent).toBeGreaterThanOrEqual(input + 15n * 600n);
    // The last word may still grow.
    expect(spent).toBeLessThan(input + 25n * 600n);
    stream.controller.abort();
    await upstream.close();
  });
});

describe("bad input", () => {
  it.each<[object, number, string]>([
    [{ model: "nope", messages: [{ role: "user", content: "x" }] }, 404, "model"],
    [{ model: "nobody-serves-this", messages: [{ role: "user", content: "x" }] }, 404, "model"],
    [{ messages: [{ role: "user", content: "x" }] }, 400, "model"],
    [{ model: "sandbox-small" }, 400, "messages"],
    [{ model: "sandbox-small", messages: [] }, 400, "messages"],
    [{ ...ask("x"), n: 0 }, 400, "n"],
    [{ ...ask("x"), max_tokens: -1 }, 400, "max_tokens"],
    [{ ...ask("x"), max_tokens: "many" }, 400, "max_tokens"],
    [{ ...ask("x"), Model: "sandbox-large" }, 400, "Model"],
    [{ ...ask("x"), service_tier: "priority" }, 400, "service_tier"],
    [{ ...ask("x"), models: ["sandbox-small", "sandbox-large"] }, 400, "models"],
  ])("is refused with the field, and holds nothing: %j", async (body, status, param) => {
    const account = await metered.account("10");
    const answer = await fetch(`${metered.baseURL}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${account.id}` },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({
      error: { param, requestId: expect.stringMatching(/^req_/) },
    });
    expect(await account.balance()).toMatchObject({ available: credits("10"), held: 0n });
  });

  it("is not what an upstream's settings allow, nor what costs no more", async () => {
    const account = await metered.account("10");
    const extras = { web_search_options: {}, service_tier: "flex" as const };
    await account.client.chat.completions.create({ ...ask("Hi"), ...extras });
    expect(metered.model.requests.list().at(-1)!.body).toMatchObject(extras);
  });
});
