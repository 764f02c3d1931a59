import { Failure } from "../failure.ts";

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Asks the server's sign-in. Throws: nothing answers, or no Bursar does. */
export async function ask(
  url: string,
  method: "GET" | "POST",
  path: string,
  options: { readonly body?: object; readonly token?: string } = {},
): Promise<Answer> {
  const { body, token } = options;
  const headers = new Headers(body === undefined ? {} : { "content-type": "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  try {
    const response = await fetch(url + path, {
      method,
      headers,
      ...sent,
      signal: AbortSignal.timeout(30_000),
    });
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure("unavailable", "unavailable", `Nothing answers at ${url} as it should: ${why}`);
  }
}

/** What the server said was wrong. */
export function refusal({ status, body }: Answer): Failure {
  const reason = body["message"] ?? body["error_description"];
  const said = typeof reason === "string" ? reason : `The server answered ${status}`;
  const exit = status === 429 || status >= 500 ? "unavailable" : "notAllowed";
  return new Failure(exit, exit === "unavailable" ? "unavailable" : "unauthenticated", said);
}

export function textOf(body: Answer["body"], name: string): string {
  const value = body[name];
  if (typeof value === "string") return value;
  throw new Failure(
    "unavailable",
    "unrecognised_answer",
    `The server's answer has no "${name}"; is it a Bursar?`,
  );
}
