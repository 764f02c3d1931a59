const TIMEOUT_MILLISECONDS = 30_000;

/** Where the three services are; on one server they are the same. */
export interface Services {
  readonly auth: string;
  readonly accounting: string;
  readonly chat: string;
}

export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly token?: string | undefined;
  readonly body?: object;
}

/** One call. A server that cannot be reached is status 0, with the reason as its message: for a test, that is a finding
 *  like another. */
export async function call(base: string, method: string, path: string, asked: Asked = {}): Promise<Reply> {
  const { token, body } = asked;
  try {
    const response = await fetch(base.replace(/\/$/, "") + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    return { status: response.status, body: await bodyOf(response) };
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { status: 0, body: { message: cause } };
  }
}

async function bodyOf(response: Response): Promise<Reply["body"]> {
  const text = await response.text();
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Reply["body"]) : {};
  } catch {
    return { message: text.slice(0, 200) };
  }
}

export function messageOf({ status, body }: Reply): string {
  const text = typeof body["message"] === "string" ? body["message"] : JSON.stringify(body);
  return status === 0 ? text : `${status}: ${text}`;
}
