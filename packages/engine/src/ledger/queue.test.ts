import { expect, it, vi } from "vitest";
import type { Command } from "./command.ts";
import { Queue } from "./queue.ts";
import type { Waiting } from "./waiting.ts";

const nextTurn = () => new Promise(setImmediate);

function waiting(id: string, abandoned = false): Waiting {
  const command = { kind: "spend", id } as Command;
  const nobody = () => undefined;
  return { command, deadline: 0, resolve: nobody, reject: nobody, abandoned, attempted: false };
}

it("calls when enough wait, once, and not before all of that turn have joined", async () => {
  const queue = new Queue(2);
  const lengths: number[] = [];
  queue.whenEnough(() => lengths.push(queue.length));
  queue.add(waiting("a"));
  await nextTurn();
  expect(lengths).toEqual([]);
  for (const id of ["b", "c", "d"]) queue.add(waiting(id));
  expect(lengths).toEqual([]);
  await nextTurn();
  queue.add(waiting("e"));
  await nextTurn();
  expect(lengths).toEqual([4]);
});

it("calls also when enough wait already", async () => {
  const queue = new Queue(1);
  queue.add(waiting("a"));
  const call = vi.fn();
  queue.whenEnough(call);
  await nextTurn();
  expect(call).toHaveBeenCalledTimes(1);
});

it("calls the last who asked alone", async () => {
  const queue = new Queue(1);
  const [first, last] = [vi.fn(), vi.fn()];
  queue.whenEnough(first);
  queue.whenEnough(last);
  queue.add(waiting("a"));
  await nextTurn();
  expect([first, last].map((call) => call.mock.calls.length)).toEqual([0, 1]);
});

it("gives the oldest, and forgets those that were abandoned", () => {
  const queue = new Queue(16);
  for (const one of [waiting("a"), waiting("b", true), waiting("c"), waiting("d")]) queue.add(one);
  expect(queue.take(3).map(({ command }) => "id" in command && command.id)).toEqual(["a", "c"]);
  expect(queue.length).toBe(1);
});
