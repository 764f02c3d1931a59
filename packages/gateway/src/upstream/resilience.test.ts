import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { DEFAULT_SETTINGS } from "../settings.ts";
import { broken, type UpstreamFailure } from "./failure.ts";
import { openResilience } from "./resilience.ts";

const SETTINGS = { ...DEFAULT_SETTINGS, retryDelayMilliseconds: 1, breakerFailures: 5, breakerSeconds: 0.1 };
const WELL = { kind: "whole" } as const;

// Time passes for the breaker when a test says so: a machine that halts for a moment opens nothing.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});
const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

function startUpstream() {
  const resilience = openResilience(SETTINGS);
  let tries = 0;
  const ask = async (accountId: string, answer: typeof WELL | UpstreamFailure) => {
    const result = await resilience(accountId, () => {
      tries += 1;
      return Promise.resolve(answer);
    });
    return result.kind;
  };
  return { ask, tries: () => tries };
}

it("is closed by what one account asks to that account alone, however often it asks, and that counts calls", async () => {
  const { ask, tries } = startUpstream();
  for (let call = 0; call < 5; call += 1) expect(await ask("mallory", broken("500"))).toBe("broken");
  expect(tries()).toBeGreaterThan(5);
  for (let call = 0; call < 20; call += 1) expect(await ask("mallory", broken("500"))).toBe("breaker_open");
  expect(await ask("alice", WELL)).toBe("whole");
});

it("is closed to all by the calls of several accounts, until one call sees that it is back", async () => {
  const { ask } = startUpstream();
  for (const account of ["a", "a", "b", "b"]) await ask(account, broken("500"));
  expect(await ask("c", broken("500"))).toBe("broken");
  expect(await ask("d", WELL)).toBe("breaker_open");
  pass(110);
  expect(await ask("d", broken("500"))).toBe("broken");
  expect(await ask("e", WELL)).toBe("breaker_open");
  pass(110);
  expect(await ask("e", WELL)).toBe("whole");
  expect(await ask("a", WELL)).toBe("whole");
});

it("is asked by one call at a time while nobody knows whether it is back", async () => {
  const { ask } = startUpstream();
  for (const account of ["a", "b", "c", "d", "e"]) await ask(account, broken("500"));
  pass(110);
  expect(await Promise.all([ask("f", WELL), ask("g", WELL)])).toEqual(["whole", "breaker_open"]);
});

it("is not taken for well because callers leave, and is because it answers them, whatever it says", async () => {
  const { ask } = startUpstream();
  const refused = { kind: "request_refused", status: 400, message: "", param: null, code: null } as const;
  for (let call = 0; call < 4; call += 1) await ask("a", broken("500"));
  await ask("b", refused);
  for (let call = 0; call < 4; call += 1) await ask("a", broken("500"));
  await ask("b", { kind: "called_off", isAnswered: false });
  expect(await ask("a", broken("500"))).toBe("broken");
  expect(await ask("a", WELL)).toBe("breaker_open");
});
