export interface Answer {
  readonly status: number;
  /** Tests look into any shape. A text where it is no JSON, and null where there is nothing. */
  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Headers;
}

/** Calls that server with a key of one's own, or as nobody in particular (null). A text as body is sent as it is. */
export function callerOf(url: string) {
  return async (
    key: string | null,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
      redirect: "manual",
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return {
      status: response.status,
      body: text === "" ? null : isJson ? JSON.parse(text) : text,
      headers: response.headers,
    };
  };
}
