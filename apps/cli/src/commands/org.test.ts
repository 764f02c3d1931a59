import { type ScriptedServer, startScriptedServer } from "@bursar/client/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bursar, type SandboxFolder, sandboxFolder } from "../testing/bursar.ts";

let server: ScriptedServer;
let sandbox: SandboxFolder;

beforeEach(async () => {
  server = await startScriptedServer();
  sandbox = await sandboxFolder({
    ...{ adminKey: "admin-key", apiKey: "api-key", accountId: "acct_demo" },
    url: server.url,
  });
});
afterEach(async () => {
  await server.close();
  await sandbox[Symbol.asyncDispose]();
});

const here = (environment: Readonly<Record<string, string>> = {}) => ({ folder: sandbox.path, environment });

test("caps are sent as they are written: what is left out stays, none lifts a cap", async () => {
  const caps = { day: "0", month: null, total: null };
  const used = { day: "1.5", month: "3", total: "9" };
  const body = { id: "org_acme", memberId: "user_bob", caps, used };
  server.on("PUT /v1/organizations/org_acme/caps", { status: 200, body });
  const { code, stdout } = await bursar(
    ["org", "cap", "org_acme", "bob", "--day", "0", "--month", "none"],
    here(),
  );
  expect(server.requests[0]?.body).toEqual({ memberId: "bob", day: "0", month: null });
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: "user_bob: day 0 (1.5 used), month no cap (3 used), total no cap (9 used).\n",
  });
});

test("an invite is accepted by its token or by the whole link", async () => {
  const body = { organizationId: "org_acme", name: "Acme" };
  server.on("POST /v1/organization-invites/accept", { status: 201, body }, { status: 200, body });
  const { stdout } = await bursar(["org", "accept", "https://bursar.example/join?token=inv_7"], here());
  await bursar(["org", "accept", "inv_7"], here());
  expect(server.requests.map((request) => request.body)).toEqual([{ token: "inv_7" }, { token: "inv_7" }]);
  expect(stdout).toBe("You are a member of Acme (org_acme).\n");
});

test("--organization and BURSAR_ORGANIZATION say whose credits pay", async () => {
  const answer = { status: 200, body: { id: "s", charged: "1", available: "9" } };
  server.on("POST /v1/spend", answer, answer, answer);
  await bursar(["spend", "1", "--organization", "org_acme"], here());
  await bursar(["spend", "1"], here({ BURSAR_ORGANIZATION: "org_two" }));
  await bursar(["spend", "1"], here());
  expect(server.requests.map(({ headers }) => headers["x-bursar-organization"])).toEqual([
    "org_acme",
    "org_two",
    undefined,
  ]);
  expect(server.requests.slice(0, 2).map(({ body }) => body)).toMatchObject([
    { accountId: "acct_org_acme" },
    { accountId: "acct_org_two" },
  ]);
});
