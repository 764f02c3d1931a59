import { expect, it } from "vitest";
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
