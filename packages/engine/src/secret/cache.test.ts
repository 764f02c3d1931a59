import { expect, test } from "vitest";
import { openCache } from "./cache.ts";

const never = () => Promise.reject(new Error("must not be asked"));

test("the least recently used leaves first when it is full", async () => {
  const cache = openCache<string>({ limit: 2, lifetimeMilliseconds: 1000 });
  await cache.get("a", () => Promise.resolve("1"));
  await cache.get("b", () => Promise.resolve("2"));
  await cache.get("a", never);
  await cache.get("c", () => Promise.resolve("3"));
  expect(await cache.get("a", never)).toBe("1");
  expect(await cache.get("b", () => Promise.resolve("again"))).toBe("again");
});

test("a failed load is told to all who wait, and not remembered", async () => {
  const cache = openCache<string>({ limit: 2, lifetimeMilliseconds: 1000 });
  const failing = Array.from({ length: 3 }, () =>
    cache.get("a", never).catch((error: Error) => error.message),
  );
  expect(await Promise.all(failing)).toEqual(Array(3).fill("must not be asked"));
  expect(await cache.get("a", () => Promise.resolve("well"))).toBe("well");
});

test("a value that was loaded before a write does not replace what was written", async () => {
  const cache = openCache<string>({ limit: 2, lifetimeMilliseconds: 1000 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const reading = cache.get("a", () => promise);
  await cache.during("a", "new", () => Promise.resolve());
  resolve("old");
  expect(await reading).toBe("old");
  expect(await cache.get("a", never)).toBe("new");
});

test("of two writes at once, neither is believed afterwards: only the database knows the last", async () => {
  const cache = openCache<string>({ limit: 2, lifetimeMilliseconds: 1000 });
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const writing = [
    cache.during("a", "one", () => first.promise),
    cache.during("a", "two", () => second.promise),
  ];
  expect(await cache.get("a", never)).toBe("two");
  second.resolve();
  await writing[1];
  first.resolve();
  await writing[0];
  expect(await cache.get("a", () => Promise.resolve("from the database"))).toBe("from the database");
});
