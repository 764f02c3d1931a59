import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { banner } from "./sandbox/banner.ts";
import type { SandboxFile } from "./sandbox/demo.ts";
import { readSettings } from "./settings.ts";

it("takes an empty argument for one that was not given, so that nothing opens to other machines by an unset variable", () => {
  const args = ["--host", "", "--listen", "", "--port", "", "--data-dir", ""];
  expect(readSettings({}, args)).toEqual(readSettings({}, []));
  expect(readSettings({}, args)).toMatchObject({ host: "127.0.0.1", ports: [3000] });
});

it.each(["3000,", "3000,,3001", "0x10", "1e3", "65536", "3000 3001"])(
  "takes %j for no list of ports",
  (text) => {
    expect(() => readSettings({}, ["--listen", text])).toThrow("--listen: must be ports such as 3000,3001");
  },
);

it.each(["prod", "Production", "PROD", " production", "live"])(
  "takes NODE_ENV=%j for no sandbox, whose passwords are public",
  (name) => {
    expect(() => readSettings({ NODE_ENV: name }, [])).toThrow("NODE_ENV: must be production for live mode");
  },
);

it.each([undefined, "", "test", "development", "staging"])("takes NODE_ENV=%j for a sandbox", (name) => {
  expect(readSettings({ NODE_ENV: name }, []).mode).toBe("sandbox");
});

it.each([
  ["BURSAR_SHUTDOWN_SECONDS", "601", "must be a number of seconds from 0 to 600"],
  ["BURSAR_TOPUP_WAIT_SECONDS", "61", "must be a number of seconds from 0 to 60"],
  ["BURSAR_LANES", "17", "must be a whole number from 1 to 16"],
  ["BURSAR_RATE_LIMIT", "-1", "must be a whole number of requests a second, 0 for any"],
  ["BURSAR_PROXY_HOPS", "17", "must be a number of proxies from 0 to 16"],
  ["LOG_LEVEL", "DEBUG", "must be trace, debug, info, warn, error or silent"],
  ["LLM_API_URL", "ftp://x", "must be an http:// or https:// URL"],
])("says of %s=%s what would be right", (name, value, rule) => {
  expect(() => readSettings({ [name]: value }, [])).toThrow(`${name}: ${rule}`);
});

it("lets an upstream be sent the fields that it allows, and names one that is none of them", () => {
  const upstreams = (allow: string[]) =>
    JSON.stringify([{ name: "llm", url: "http://127.0.0.1/v1", models: ["*"], allow }]);
  const { upstreams: read } = readSettings({ BURSAR_UPSTREAMS: upstreams(["service_tier"]) }, []);
  expect(read).toMatchObject([{ allow: ["service_tier"] }]);
  expect(() => readSettings({ BURSAR_UPSTREAMS: upstreams(["service-tier"]) }, [])).toThrow(
    /^BURSAR_UPSTREAMS.*service_tier/,
  );
});

const LIVE = {
  NODE_ENV: "production",
  DATABASE_URL: "postgresql://x/y",
  BURSAR_ADMIN_KEY: randomBytes(32).toString("base64url"),
  BURSAR_SECRET: randomBytes(32).toString("base64url"),
  BURSAR_MASTER_KEY: randomBytes(32).toString("base64url"),
};

it.each<[string, Record<string, string>]>([
  ["SMTP_URL", { SMTP_URL: "smtp://mail.example.com", MAIL_FROM: "bursar@example.com" }],
  ["OAUTH_SERVER_URL", { OAUTH_SERVER_URL: "https://id.example.com", OAUTH_CLIENT_ID: "bursar" }],
  ["STRIPE_SECRET_KEY", { STRIPE_SECRET_KEY: "sk_live_1", STRIPE_WEBHOOK_SECRET: "whsec_1" }],
])("sends no link to the reader's own machine: in live mode %s needs BURSAR_URL", (name, set) => {
  expect(() => readSettings({ ...LIVE, ...set }, [])).toThrow(`BURSAR_URL: is required with ${name}`);
  const publicUrl = "https://bursar.example.com";
  expect(readSettings({ ...LIVE, ...set, BURSAR_URL: publicUrl }, []).publicUrl).toBe(publicUrl);
  expect(readSettings(LIVE, []).publicUrl).toBeNull();
});

it("has its pages and links at the root of a host alone", () => {
  const read = (url: string) => readSettings({ BURSAR_URL: url }, []).publicUrl;
  expect([read("https://bursar.example.com/"), read("http://LOCALHOST:3000")]).toEqual([
    "https://bursar.example.com",
    "http://localhost:3000",
  ]);
  for (const url of [
    "https://example.com/bursar",
    "https://example.com/?a",
    "https://a@example.com",
    "ftp://a",
  ])
    expect(() => read(url), url).toThrow("BURSAR_URL: must be");
});

it.each([
  ["BURSAR_ADMINKEY", "BURSAR_ADMIN_KEY"],
  ["BURSAR_RATE_LIMT", "BURSAR_RATE_LIMIT"],
  ["BURSAR_MASTERKEYS", "BURSAR_MASTER_KEY"],
  ["BURSAR_URI", "BURSAR_URL"],
  ["BURSARSECRET", "BURSAR_SECRET"],
])("names %s, which nobody would read, and %s beside it", (name, meant) => {
  expect(() => readSettings({ [name]: "1" }, [])).toThrow(`${name}: is no setting; ${meant} is one`);
});

it("leaves alone what only begins like its own: what the command reads, a cluster sets, or somebody else", () => {
  const others = [
    "API_KEY",
    "ACCOUNT",
    "ORGANIZATION",
    "PORT",
    "SERVICE_HOST",
    "PORT_3000_TCP",
    "IMAGE",
    "UI",
    "ENV",
  ];
  const env = Object.fromEntries(others.map((name) => [`BURSAR_${name}`, "1"]));
  expect(readSettings(env, [])).toEqual(readSettings({}, []));
});

it("tells what there is to whoever asks for help, or for what there is not", () => {
  for (const args of [["--help"], ["--prot", "3001"], ["3001"]])
    expect(() => readSettings({}, args)).toThrow(/; there are --listen, --port, .*docs\/configuration\.md$/);
});

it("tells where the command finds a sandbox whose data is elsewhere than usual", () => {
  const sandbox = { url: "http://127.0.0.1:3000", apiKey: "bsk_1", mailUrl: null, users: [] };
  const shown = (dataDir: string) =>
    banner(sandbox as unknown as SandboxFile, { dataDir, host: "127.0.0.1" });
  expect(shown("/data")).toContain("\n\n  export BURSAR_DATA_DIR=/data\n  npx bursar balance");
  expect(shown(resolve(".bursar"))).toContain("Then:\n\n  npx bursar balance");
});

it("tells what is open of a sandbox that others can reach, and only then", () => {
  const sandbox = { url: "http://127.0.0.1:3000", apiKey: "bsk_1", mailUrl: null, users: [] };
  const shown = (host: string) => banner(sandbox as unknown as SandboxFile, { dataDir: "/data", host });
  for (const host of ["0.0.0.0", "::", "192.168.0.7", "box"])
    expect(shown(host)).toContain(`OPEN TO OTHER MACHINES: this listens on ${host}.`);
  for (const host of ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
    expect(shown(host)).not.toContain("OPEN TO OTHER MACHINES");
});
