import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openSplitter } from "./sse.ts";

describe("splitting a stream into events", () => {
  it("gives the same events however the text is cut", () => {
    const text = 'data: {"a":1}\n\n: hi\n\nevent: x\ndata:two\r\ndata: lines\r\n\r\ndata: [DONE]\n\n';
    const expected = ['{"a":1}', null, "two\nlines", "[DONE]"];
    const cuts = fc.array(fc.nat(text.length), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, (at) => {
        const places = [0, ...at.sort((a, b) => a - b), text.length];
        const splitter = openSplitter();
        const events = places.slice(1).flatMap((end, index) => splitter.push(text.slice(places[index], end)));
        expect(events.map(({ data }) => data)).toEqual(expected);
        expect(splitter.pending).toBe(0);
      }),
    );
  });

  it("gives nothing of an event that has not ended", () => {
    const splitter = openSplitter();
    expect(splitter.push("data: half")).toEqual([]);
    expect(splitter.pending).toBe(10);
  });
});
