/** A browser as far as signing in needs one: it keeps cookies, says where a request comes from, and follows redirects
 *  only when asked. */
export interface Visit {
  readonly status: number;
  readonly text: string;
  /** Tests look into any shape. */
  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Headers;
  readonly url: string;
}

export type Browser = ReturnType<typeof openBrowser>;

export function openBrowser(base: string) {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string) => {
    const { hostname } = new URL(url);
    const jar = jars.get(hostname) ?? new Map<string, string>();
    jars.set(hostname, jar);
    return jar;
  };
  const send = async (method: string, path: string, init: RequestInit = {}): Promise<Visit> => {
    const url = new URL(path, base).href;
    const headers = new Headers(init.headers);
    if (method !== "GET" && !headers.has("origin")) headers.set("origin", new URL(url).origin);
    const jar = jarOf(url);
    if (jar.size > 0) headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(url, { ...init, method, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) keep(jar, cookie);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return {
      status: response.status,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : null,
      headers: response.headers,
      url,
    };
  };
  return {
    jarOf: () => jarOf(base),
    get: (path: string, headers: Record<string, string> = {}) => send("GET", path, { headers }),
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      send("POST", path, {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    put: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      send("PUT", path, {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    submit: (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
      send("POST", path, {
        body: new URLSearchParams(form).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      }),
    /** Follows where an answer leads, until a page. */
    follow: async (visit: Visit): Promise<Visit> => {
      let at = visit;
      for (let hop = 0; hop < 20 && at.status >= 300 && at.status < 400; hop++) {
        at = await send("GET", new URL(at.headers.get("location")!, at.url).href);
      }
      return at;
    },
  };
}

function keep(jar: Map<string, string>, cookie: string): void {
  const [pair = "", ...attributes] = cookie.split(";");
  const name = pair.slice(0, pair.indexOf("=")).trim();
  const isGone = attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute)) || pair.endsWith("=");
  if (isGone) jar.delete(name);
  else jar.set(name, pair.slice(pair.indexOf("=") + 1));
}
