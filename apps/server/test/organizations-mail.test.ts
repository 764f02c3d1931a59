/** What an organization's people hear by mail, with the background as it runs in a sandbox. */
import { credits } from "@bursar/contract/money";
import { notify } from "@bursar/engine/notice/notify";
import { createOrganization } from "@bursar/engine/organization/create";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type SandboxWorld, startSandboxWorld } from "./sandbox-world.ts";

let world: SandboxWorld;
beforeAll(async () => {
  world = await startSandboxWorld();
});
afterAll(() => world.close());

const subjectsTo = async (address: string) => {
  await world.background.settle();
  const { body } = await world.call(null, "GET", `/sandbox/mail?to=${address}`);
  return body.mails.map(({ subject }: { subject: string }) => subject);
};

it("the owner is mailed what the organization's account is told, and the alert of its credits", async () => {
  const made = await world.identity.people.create({ email: "owner@example.org", emailVerified: true });
  if (made.kind !== "created") throw new Error("not created");
  const { id: personId, accountId, email } = made.person;
  const facts = { id: "org_mail", name: "Mail", owner: { personId, accountId, email }, by: "test" };
  const created = await createOrganization(world.engine, facts);
  if (created.kind !== "created") throw new Error("not created");
  const account = created.organization.accountId;
  const { engine } = world;
  const told = { kind: "system_message", title: "About the account", text: "Text.", mail: true } as const;
  await notify(engine.pool, engine.clock, { ...told, id: "told", accountId: account });
  const grant = { accountId: account, amount: "600", source: "organization" };
  await world.call(world.adminKey, "POST", "/v1/grants", grant);
  expect(await subjectsTo(email)).toEqual(["About the account"]);
  const spend = { kind: "spend", id: "s", amount: credits("150"), accountId: account, by: "test" } as const;
  await engine.ledger.submit(spend);
  expect((await subjectsTo(email)).toSorted((a: string, b: string) => a.localeCompare(b))).toEqual([
    "About the account",
    "Mail has less than 500 credits left",
  ]);
});
