import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import { expect, test } from "vitest";
import { Replay } from "./replay.ts";

function filled(count: number, size = 10): Replay {
  const replay = new Replay();
  for (let i = 0; i < count; i++) replay.add((seq) => `${seq}`.padEnd(size));
  return replay;
}

test("keeps messages under their numbers until they have arrived", () => {
  const replay = filled(5);
  expect([replay.firstSeq, replay.lastSeq]).toEqual([1, 5]);
  replay.arrived(3);
  expect([replay.firstSeq, replay.lastSeq]).toEqual([4, 5]);
  expect([replay.get(3), replay.get(4)?.trim(), replay.get(5)?.trim(), replay.get(6)]).toEqual([
    undefined,
    "4",
    "5",
    undefined,
  ]);
  replay.arrived(99);
  expect([replay.firstSeq, replay.lastSeq]).toEqual([6, 5]);
});

test.each([
  ["messages", SESSION_LIMITS.replayMessages + 1000, 10],
  ["bytes", 100, SESSION_LIMITS.replayBytes / 50],
])("gives up the oldest beyond its limit of %s, and its numbers still tell which", (_, count, size) => {
  const replay = filled(count, size);
  const kept = replay.lastSeq - replay.firstSeq + 1;
  expect(replay.lastSeq).toBe(count);
  expect(kept).toBeLessThanOrEqual(SESSION_LIMITS.replayMessages);
  expect(kept * size).toBeLessThanOrEqual(SESSION_LIMITS.replayBytes);
  for (let seq = replay.firstSeq; seq <= count; seq++) expect(replay.get(seq)?.trim()).toBe(String(seq));
  expect(replay.get(replay.firstSeq - 1)?.length).toBeUndefined();
});

test("keeps the newest, however large it is", () => {
  const replay = filled(1, SESSION_LIMITS.replayBytes * 2);
  expect(replay.get(1)?.length).toBe(SESSION_LIMITS.replayBytes * 2);
});
