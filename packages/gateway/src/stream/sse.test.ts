import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openSplitter, sse } from "./sse.ts";

describe("splitting a stream into events", () => {
  it("gives the same events however the text is cut", () => {
    const text =
      '\uFEFFdata: {"a":1}\n\n: hi\n\nevent: x\ndata:two\r\ndata: lines\r\n\r\ndata: b\r\rdata: [DONE]\n\n';
    const expected = ['{"a":1}', null, "two\nlines", "b", "[DONE]"];
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

  it("gives what was written, also where that has several lines", () => {
    const data = '{"a":\n1}\n';
    expect(openSplitter().push(sse(data))).toEqual([{ data }]);
  });

  it("takes no longer for an event that comes in thousands of pieces", () => {
    const splitter = openSplitter();
    const before = process.cpuUsage();
    splitter.push("data: ");
    for (let piece = 0; piece < 3000; piece += 1) splitter.push("a".repeat(1000));
    expect(splitter.push("\n\n")[0]!.data).toHaveLength(3_000_000);
    // Of work, not by the clock: a machine may do other things meanwhile.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });

  it("gives nothing of an event that has not ended", () => {
    const splitter = openSplitter();
    expect(splitter.push("data: half")).toEqual([]);
    expect(splitter.pending).toBe(10);
  });
});
