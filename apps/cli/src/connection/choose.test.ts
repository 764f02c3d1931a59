import { describe, expect, test } from "vitest";
import { choose, type Flags, type Need } from "./choose.ts";
import { type Sandbox, sandboxPaths } from "./sandbox.ts";

const SANDBOX: Sandbox = {
  path: "/here/.bursar/sandbox.json",
  url: "http://127.0.0.1:3000",
  adminKey: "sandbox-admin",
  apiKey: "sandbox-own",
  accountId: "acct_demo",
  databaseUrl: undefined,
  stripeUrl: undefined,
  stripeKey: undefined,
};

interface Case {
  readonly need: Need;
  readonly flags?: Flags;
  readonly environment?: Readonly<Record<string, string>>;
  readonly key: string | null;
  readonly accountId?: string;
}

const ENV_URL = { BURSAR_URL: "https://bursar.example" };

const CASES: readonly (readonly [name: string, given: Case])[] = [
  ["the account's own key for its own calls", { need: "account", key: "sandbox-own" }],
  [
    "the admin key, for the sandbox's account",
    { need: "admin", key: "sandbox-admin", accountId: "acct_demo" },
  ],
  [
    "the admin key for another account's calls",
    { need: "account", flags: { account: "acct_2" }, key: "sandbox-admin", accountId: "acct_2" },
  ],
  [
    "an own key over an admin's",
    { need: "account", environment: { BURSAR_API_KEY: "own", BURSAR_ADMIN_KEY: "admin" }, key: "own" },
  ],
  [
    "an admin's where there is no other, for the account of the environment",
    {
      need: "account",
      environment: { ...ENV_URL, BURSAR_ADMIN_KEY: "admin", BURSAR_ACCOUNT: "acct_3" },
      key: "admin",
      accountId: "acct_3",
    },
  ],
  [
    "an own key where an admin's is needed and none is known, so that the server says so",
    { need: "admin", environment: { ...ENV_URL, BURSAR_API_KEY: "own" }, key: "own" },
  ],
  ["no key of the sandbox for another server", { need: "admin", environment: ENV_URL, key: null }],
  [
    "the sandbox's key when the environment names the sandbox",
    { need: "account", environment: { BURSAR_URL: "http://127.0.0.1:3000/v1" }, key: "sandbox-own" },
  ],
  [
    "the flag's key over all",
    { need: "account", flags: { key: "flag" }, environment: { BURSAR_API_KEY: "own" }, key: "flag" },
  ],
  [
    "an admin's key for people's commands where nobody has signed in",
    { need: "person", key: "sandbox-admin", accountId: "acct_demo" },
  ],
  [
    "an admin's key for an organization's account",
    { need: "account", flags: { organization: "org_1" }, key: "sandbox-admin", accountId: "acct_org_1" },
  ],
  ["nothing that is empty", { need: "account", environment: { BURSAR_API_KEY: " " }, key: "sandbox-own" }],
];

describe("choosing takes", () => {
  test.each(CASES)("%s", (_, { need, flags = {}, environment = {}, key, accountId }) => {
    const choice = choose({ flags, environment, sandbox: SANDBOX }, need);
    if (key === null) expect(choice.kind).toBe("no_key");
    else expect(choice).toMatchObject({ kind: "chosen", key: { value: key }, accountId });
  });

  test("nothing where no server is known", () => {
    expect(choose({ flags: {}, environment: { BURSAR_API_KEY: "k" }, sandbox: null }, "account").kind).toBe(
      "no_url",
    );
  });
});

describe("the sandbox's file is looked for", () => {
  test("here and above, then in the repository of this program", () => {
    expect(sandboxPaths({}, "/a/b", "/repository")).toEqual([
      "/a/b/.bursar/sandbox.json",
      "/a/.bursar/sandbox.json",
      "/.bursar/sandbox.json",
      "/repository/.bursar/sandbox.json",
    ]);
  });

  test("only in the folder that the environment names", () => {
    expect(sandboxPaths({ BURSAR_DATA_DIR: "data" }, "/a", "/r")).toEqual(["/a/data/sandbox.json"]);
  });
});
