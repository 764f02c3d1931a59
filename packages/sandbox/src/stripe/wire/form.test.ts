import fc from "fast-check";
import { expect, test } from "vitest";
import { type FormValue, parseForm } from "./form.ts";

const name = fc.stringMatching(/^[a-z_]{1,12}$/);
const value = fc.letrec<{ value: FormValue; object: { [name: string]: FormValue } }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.array(tie("value"), { minLength: 1, maxLength: 4 }),
    tie("object"),
  ),
  object: fc.dictionary(name, tie("value"), { minKeys: 1, maxKeys: 4 }),
}));

/** As the SDK writes it: `a[b][0]=c`. */
function write(value: FormValue, path: string, into: URLSearchParams): void {
  if (typeof value === "string") into.append(path, value);
  else for (const [key, inner] of Object.entries(value)) write(inner, `${path}[${key}]`, into);
}

test("whatever an SDK writes is read as it was", () => {
  fc.assert(
    fc.property(value.object, (form) => {
      const text = new URLSearchParams();
      for (const [key, inner] of Object.entries(form)) write(inner, key, text);
      expect(JSON.parse(JSON.stringify(parseForm(text.toString())))).toEqual(
        JSON.parse(JSON.stringify(form)),
      );
    }),
    { numRuns: 300 },
  );
});

test("a list may be written without numbers, and in any order of them", () => {
  expect(parseForm("a[]=x&a[]=y")).toEqual({ a: ["x", "y"] });
  expect(parseForm("a[1]=y&a[0]=x")).toEqual({ a: ["x", "y"] });
});

test.each([
  ["a[b=1", "Invalid parameter name: a[b"],
  ["[a]=1", "Invalid parameter name: [a]"],
  [`a${"[b]".repeat(9)}=1`, "Parameter is nested too deeply"],
  ["a=1&a[b]=2", "Invalid object: a[b] is also given as text"],
])("%s is refused", (text, message) => {
  expect(() => parseForm(text)).toThrow(message);
});

test("no name reaches the prototype, and no index makes room for millions", () => {
  const form = parseForm("__proto__[polluted]=yes&a[__proto__][polluted]=yes&b[999999999]=x");
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(Object.keys(form)).toEqual(["__proto__", "a", "b"]);
  expect(form["b"]).toEqual({ "999999999": "x" });
});
