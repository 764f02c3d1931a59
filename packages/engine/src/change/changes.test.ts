import { randomUUID } from "node:crypto";
import type { AccountId } from "@bursar/contract/ids";
import { connectionOptions } from "@bursar/database/connection";
import { createTestDatabase } from "@bursar/database/testing";
import pg from "pg";
import { expect, it, vi } from "vitest";
import { silentLog } from "../../test/ledger-on-test-database.ts";
import { openChanges } from "./changes.ts";
import { openNotifyFanOut } from "./store-notify.ts";

const PATIENCE = { timeout: 10_000, interval: 20 };

it("what is changed while the connection to the others is broken is told when it is back", async () => {
  const database = await createTestDatabase();
  const aProcess = (applicationName: string) => {
    const connect = () => new pg.Client(connectionOptions({ url: database.url, applicationName }));
    return openChanges({ fanOut: openNotifyFanOut({ connect, log: silentLog }), log: silentLog });
  };
  const [here, there] = [aProcess("changes-here"), aProcess("changes-there")];
  const heard = new Set<string>();
  there.listen({
    onChanged: (accountIds) => {
      for (const accountId of accountIds) heard.add(accountId);
    },
    onDoubt: () => undefined,
  });
  const change = () => {
    const accountId = `acct_${randomUUID()}` as AccountId;
    here.changed([accountId]);
    return accountId;
  };
  // Until each has heard of the other.
  await vi.waitFor(() => {
    change();
    expect(heard.size).toBeGreaterThan(0);
  }, PATIENCE);
  const client = new pg.Client(connectionOptions({ url: database.url, applicationName: "changes-test" }));
  await client.connect();
  const kill =
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'changes-here'";
  expect((await client.query(kill)).rowCount).toBe(1);
  await client.end();
  const late = Array.from({ length: 5 }, change);
  await vi.waitFor(() => expect([...heard]).toEqual(expect.arrayContaining(late)), PATIENCE);
  await here.close();
  await there.close();
  await database.drop();
});
