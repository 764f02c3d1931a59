import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Running, startRunning } from "./running.ts";

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.close());

/** So many records at the given instants, as settlements would have left them. */
async function record(accountId: string, records: readonly { seq: number; at: string; model?: string }[]) {
  await running.engine.pool.query(
    `insert into usage_records (account_id, seq, reference, model, feature, key_id, input_tokens,
       cached_input_tokens, output_tokens, amount, price_version, at)
     select $1, v.seq, 'op_' || v.seq, v.model, null, null, 10, 2, 5, 1500000, 1, v.at
     from unnest($2::int8[], $3::text[], $4::timestamptz[]) as v (seq, model, at)`,
    [
      accountId,
      records.map(({ seq }) => seq),
      records.map(({ model }) => model ?? "small"),
      records.map(({ at }) => at),
    ],
  );
}

const fetchText = async (key: string, path: string) => {
  const response = await fetch(running.url + path, { headers: { authorization: `Bearer ${key}` } });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe("the usage of a month", () => {
  it("is what settlements have charged, in the contract's fields", async () => {
    const account = await running.account();
    const usage = { model: "small", inputTokens: 1000, cachedInputTokens: 400, outputTokens: 200 };
    await account.post("/v1/spend", { id: "op_used", usage, feature: "chat" });
    const { body } = await account.get("/v1/usage/export?month=2026-09");
    expect(body).toEqual({
      accountId: account.id,
      month: "2026-09",
      records: [
        {
          at: "2026-09-21T14:13:20.000Z",
          reference: "op_used",
          feature: "chat",
          keyId: account.keyId,
          amount: "0.18",
          priceVersion: 1,
          memberId: null,
          ...usage,
        },
      ],
    });
  });

  it("begins and ends with the calendar month in UTC, to the microsecond", async () => {
    const account = await running.account();
    await record(account.id, [
      { seq: 1001, at: "2024-01-31T23:59:59.999999Z" },
      { seq: 1002, at: "2024-02-01T00:00:00Z" },
      { seq: 1003, at: "2024-02-29T23:59:59.999999Z" },
      { seq: 1004, at: "2024-03-01T00:00:00Z" },
    ]);
    const { body } = await account.get("/v1/usage/export?month=2024-02");
    expect(body.records.map((one: { reference: string }) => one.reference)).toEqual(["op_1002", "op_1003"]);
    const empty = await account.get("/v1/usage/export?month=2023-02");
    expect(empty.body.records).toEqual([]);
  });

  it("has every record once, also over several pages and where many are of one instant", async () => {
    const account = await running.account();
    const many = Array.from({ length: 3500 }, (_, index) => ({
      seq: 1001 + index,
      at: `2024-05-${String(1 + Math.floor(index / 1200)).padStart(2, "0")}T12:00:00Z`,
    }));
    await record(account.id, many);
    const { body } = await account.get("/v1/usage/export?month=2024-05");
    const references = body.records.map((one: { reference: string }) => one.reference);
    expect(references).toEqual(many.map(({ seq }) => `op_${seq}`));
    const csv = await fetchText(account.key, "/v1/usage/export?month=2024-05&format=csv");
    const lines = csv.text.split("\r\n");
    expect(lines).toHaveLength(3502);
    expect(lines[0]).toBe(
      "at,reference,model,feature,keyId,inputTokens,cachedInputTokens,outputTokens,amount,priceVersion,memberId",
    );
    expect(lines[3500]).toBe("2024-05-03T12:00:00.000Z,op_4500,small,,,10,2,5,1.5,1,");
    expect(lines[3501]).toBe("");
  });

  it("as CSV is a file that no spreadsheet runs", async () => {
    const account = await running.account();
    await record(account.id, [
      { seq: 1001, at: "2024-05-01T00:00:00Z", model: '=HYPERLINK("http://evil","x")' },
      { seq: 1002, at: "2024-05-02T00:00:00Z", model: "a,b" },
    ]);
    const { headers, text } = await fetchText(account.key, "/v1/usage/export?month=2024-05&format=csv");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("content-disposition")).toBe('attachment; filename="usage-2024-05.csv"');
    expect(headers.get("x-request-id")).toMatch(/^req_/);
    expect(text).toContain(`,"'=HYPERLINK(""http://evil"",""x"")",`);
    expect(text).toContain(',"a,b",');
  });

  it("breaks off audibly when the database fails midway, and is a status when it fails at once", async () => {
    const account = await running.account();
    const many = Array.from({ length: 1500 }, (_, index) => ({
      seq: 1001 + index,
      at: "2024-05-01T00:00:00Z",
    }));
    await record(account.id, many);
    // The HTTP library says it on the console, too.
    const said = vi.spyOn(console, "error").mockReturnValue();
    const failing = async (page: number) => {
      const { pool } = running.engine;
      const query = pool.query.bind(pool) as (...given: unknown[]) => Promise<unknown>;
      let pages = 0;
      const failOnce = (...given: unknown[]) => {
        const isPage = String(given[0]).includes("from usage_records") && ++pages === page;
        return isPage ? Promise.reject(new Error("Connection terminated")) : query(...given);
      };
      Object.assign(pool, { query: failOnce });
      try {
        return await fetchText(account.key, "/v1/usage/export?month=2024-05&format=csv");
      } finally {
        Reflect.deleteProperty(pool, "query");
      }
    };
    expect((await failing(1)).status).toBe(503);
    await expect(failing(2)).rejects.toThrow("terminated");
    expect((await failing(3)).status).toBe(200);
    said.mockRestore();
  });

  it("is the account's own, and what is wrong is named", async () => {
    const [account, other] = [await running.account(), await running.account()];
    const foreign = await other.get(`/v1/usage/export?month=2024-05&accountId=${account.id}`);
    expect(foreign.status).toBe(403);
    for (const month of ["2024-13", "2024-1", "24-01", "0001-01", "", "2024-05-01"]) {
      const { status, body } = await account.get(`/v1/usage/export?month=${month}`);
      expect([month, status, body.error.param]).toEqual([month, 422, "month"]);
    }
    const { body } = await account.get("/v1/usage/export?month=2024-05&format=xlsx");
    expect(body.error.param).toBe("format");
    const path = "/v1/usage/export?month=2024-05&accountId=acct_nobody";
    expect((await running.call(running.adminKey, "GET", path)).body.error.code).toBe("account_unknown");
  });
});

it("usage is summed by month, too", async () => {
  const account = await running.account();
  await record(account.id, [
    { seq: 1001, at: "2024-01-31T23:59:59Z" },
    { seq: 1002, at: "2024-02-01T00:00:00Z" },
    { seq: 1003, at: "2024-02-20T00:00:00Z" },
  ]);
  const query = "groupBy=month&from=2024-01-01T00:00:00Z&to=2025-01-01T00:00:00Z";
  const { body } = await account.get(`/v1/usage?${query}`);
  expect(body.groups).toMatchObject([
    { group: "2024-01", amount: "1.5", requests: 1 },
    { group: "2024-02", amount: "3", requests: 2, inputTokens: 20, cachedInputTokens: 4, outputTokens: 10 },
  ]);
  expect(body.total).toMatchObject({ amount: "4.5", requests: 3 });
});
