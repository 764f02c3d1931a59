import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readers } from "./settings.ts";
import { useSandboxModel } from "./testing.ts";

const used = await useSandboxModel();
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const curl =
  /^curl (?:-X (?<method>\w+) )?localhost:4010(?<path>\S+)(?: -d '(?<body>.*)')?(?: # (?<status>\d+))?$/gm;

test("every curl in the README does what the page says", async () => {
  used.model.faults.clear();
  const commands = [...readme.matchAll(curl)].map((match) => match.groups ?? {});
  expect(commands).toHaveLength(readme.match(/^curl /gm)?.length ?? 0);
  for (const { method, path, body, status } of commands) {
    const init = { method: method ?? (body ? "POST" : "GET"), ...(body && { body }) };
    const response = await fetch(new URL(path ?? "", used.model.url), init);
    expect([path, response.status]).toEqual([path, Number(status ?? 200)]);
    await response.text();
  }
});

test("the README explains every directive", () => {
  for (const word of Object.keys(readers))
    expect(readme).toMatch(new RegExp(`^\\|.*\`${word}\\b.* \\|`, "m"));
});
