import { expect, it } from "vitest";
import { failureOf } from "./status.ts";

it.each([
  { error: { message: "no such field" } },
  { message: "no such field" },
  [{ error: { code: 400, message: "no such field", status: "INVALID_ARGUMENT" } }],
])("reads what a provider says is wrong with a request, however it is wrapped: %j", (body) => {
  const answer = { status: 400, retryAfter: undefined, body: JSON.stringify(body) };
  expect(failureOf(answer)).toMatchObject({ kind: "request_refused", message: "no such field", code: null });
});

it("takes a field that is named for the caller's, also where it is about keys", () => {
  const message = "Invalid schema for function 'get_api_key': 'string' is not of type 'object'.";
  const error = { message, param: "tools[0].function.parameters", code: "invalid_function_parameters" };
  const answer = { status: 400, retryAfter: undefined, body: JSON.stringify({ error }) };
  expect(failureOf(answer)).toMatchObject({ kind: "request_refused", message });
});

it.each(["API key not valid. Please pass a valid API key.", "Incorrect API key provided: sk-secret"])(
  "takes a key that is refused for its own, and not for the caller's: %s",
  (message) => {
    const answer = { status: 400, retryAfter: undefined, body: JSON.stringify([{ error: { message } }]) };
    expect(failureOf(answer).kind).toBe("misconfigured");
  },
);
