import { expect, it } from "vitest";
import { z } from "zod";
import type { Operation } from "./operation.ts";
import { v1 } from "./v1.ts";

const operations = (Object.values(v1) as Operation[]).map(
  (operation) => [operation.name, operation] as const,
);

/** Where a place in a list, a window or a name could hide it. */
const TEXTS = ["\u0000", "a\u0000", "a\u0000b", "1~\u0000", "before:1:\u0000", "2027-01-01T00:00:00Z \u0000"];

it.each(operations)("%s takes no text in its path or query that Postgres could not store", (_, operation) => {
  for (const schema of [operation.params, operation.query]) {
    if (schema === undefined) continue;
    expect(schema).toBeInstanceOf(z.ZodObject);
    for (const [name, field] of Object.entries((schema as z.ZodObject).shape))
      for (const text of TEXTS)
        expect([name, text, (field as z.ZodType).safeParse(text).success]).toEqual([name, text, false]);
  }
});
