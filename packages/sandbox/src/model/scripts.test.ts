import type OpenAI from "openai";
import { expect, test } from "vitest";
import { post, useSandboxModel } from "./testing.ts";

const used = await useSandboxModel();

type Messages = OpenAI.ChatCompletionMessageParam[];

function say(messages: Messages) {
  return used.client.chat.completions.create({ model: "sandbox-scripted", messages });
}

const user = (content: string): Messages => [{ role: "user", content }];

test("a queue is answered in order, word for word, and then the model says that nothing is left", async () => {
  const url = new URL("/sandbox/scripts", used.model.url);
  const replies = [
    { content: "Reading.", tool_calls: [{ name: "read_files", arguments: { paths: ["a.ts"] } }] },
    { content: "Done." },
  ];
  const added = await post(url.href, { replies });
  expect(await added.json()).toEqual({ scripts: [{ when: null, mode: "queue", left: 2 }] });
  const first = await say(user("Fix the bug"));
  expect(first.choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: {
      content: "Reading.",
      tool_calls: [{ type: "function", function: { name: "read_files", arguments: '{"paths":["a.ts"]}' } }],
    },
  });
  expect((await say(user("Fix the bug"))).choices[0]?.message.content).toBe("Done.");
  await expect(say(user("Fix the bug"))).rejects.toMatchObject({ status: 400, code: "script_exhausted" });
});

test("a script by turns answers by the conversation's length, so a retry gets the same reply", async () => {
  used.model.scripts.add({ mode: "turns", replies: [{ content: "first" }, { content: "second" }] });
  expect((await say(user("go"))).choices[0]?.message.content).toBe("first");
  expect((await say(user("go"))).choices[0]?.message.content).toBe("first");
  const later: Messages = [...user("go"), { role: "assistant", content: "first" }, ...user("on")];
  expect((await say(later)).choices[0]?.message.content).toBe("second");
});

test("a script of rules answers what the model has been told since it last spoke", async () => {
  used.model.scripts.add({
    mode: "rules",
    replies: [
      { where: { last: "failed" }, content: "I mend it." },
      { where: { turn: 0 }, content: "I try." },
      { where: { last: "passed", turn: 2 }, content: "Done." },
    ],
  });
  const answer = async (messages: Messages) => (await say(messages)).choices[0]?.message.content;
  expect(await answer(user("go"))).toBe("I try.");
  const tried: Messages = [...user("go"), { role: "assistant", content: "I try." }];
  const failed: Messages = [...tried, ...user("it failed, though it passed before")];
  expect(await answer(failed)).toBe("I mend it.");
  expect(await answer(failed)).toBe("I mend it.");
  const mended: Messages = [...failed, { role: "assistant", content: "I mend it." }];
  expect(await answer([...mended, ...user("it passed")])).toBe("Done.");
  await expect(answer([...tried, ...user("it passed")])).rejects.toMatchObject({ code: "script_exhausted" });
});

test("`when` keeps the scripts of different conversations apart", async () => {
  used.model.scripts.add({ when: "You review code", replies: [{ content: "Looks good." }] });
  used.model.scripts.add({ replies: [{ content: "Working." }] });
  expect((await say(user("Hello"))).choices[0]?.message.content).toBe("Working.");
  const review: Messages = [{ role: "system", content: "You review code." }, ...user("Hello")];
  expect((await say(review)).choices[0]?.message.content).toBe("Looks good.");
});

test("an error keeps the reply for the retry", async () => {
  used.model.scripts.add({ replies: [{ content: "still here" }] });
  used.model.faults.add({ directive: "status=500" });
  await expect(say(user("go"))).rejects.toMatchObject({ status: 500 });
  expect((await say(user("go"))).choices[0]?.message.content).toBe("still here");
});

test("a script that makes no sense is refused when it is registered", async () => {
  const url = new URL("/sandbox/scripts", used.model.url).href;
  expect((await post(url, { replies: [] })).status).toBe(400);
  expect((await post(url, { replies: [{ directive: "nonsense=1" }] })).status).toBe(400);
  expect((await post(url, { replies: [{ text: "Hi" }] })).status).toBe(400);
});
