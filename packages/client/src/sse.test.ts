import { expect, test } from "vitest";
import { readEvents } from "./sse.ts";

async function eventsOf(...chunks: Uint8Array[]) {
  async function* stream() {
    yield* chunks;
  }
  const events = [];
  for await (const event of readEvents(stream())) events.push(event);
  return events;
}

const bytes = (text: string) => new TextEncoder().encode(text);

const STREAM = "\uFEFF: hello\n\ndata: grüße 🙂\r\n\r\nevent: note\rdata:a\rdata: b\r\rid: 1\ndata\n\n";
const EVENTS = [
  { event: "message", data: "grüße 🙂" },
  { event: "note", data: "a\nb" },
  { event: "message", data: "" },
];

test("line ends of all kinds, comments, names and many data lines are read as the standard says", async () => {
  expect(await eventsOf(bytes(STREAM))).toEqual(EVENTS);
});

test("the events are the same wherever two chunks meet", async () => {
  const all = bytes(STREAM);
  for (let at = 0; at <= all.length; at++) {
    expect(await eventsOf(all.subarray(0, at), all.subarray(at)), `cut at byte ${at}`).toEqual(EVENTS);
  }
});

test("byte by byte, too", async () => {
  expect(await eventsOf(...Array.from(bytes(STREAM), (byte) => Uint8Array.of(byte)))).toEqual(EVENTS);
});

test("an event that the end cuts off is not delivered", async () => {
  expect(await eventsOf(bytes("data: whole\n\ndata: cut"))).toEqual([{ event: "message", data: "whole" }]);
  expect(await eventsOf(bytes("data: no empty line\n"))).toEqual([]);
});
