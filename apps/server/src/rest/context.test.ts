import { expect, it } from "vitest";
import { actor, onlyPerson } from "./context.ts";

const organization = (role: "member" | "admin") => ({ id: "org_1", role });

it("a member of whom nobody knows who it is reaches nobody's work, and not everybody's", () => {
  expect(onlyPerson({ organization: organization("member"), person: undefined })).toBe("");
  const principal = { kind: "account", by: "key", organization: organization("member") };
  const call = { principal, requestId: "req_1", accountId: "acct_1" } as unknown as Parameters<
    typeof actor
  >[0];
  expect(actor(call).countedIn).toBe("/total");
  expect(onlyPerson({ organization: organization("admin"), person: undefined })).toBeNull();
});
