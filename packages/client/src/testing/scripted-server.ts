import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** As JSON, or null when there was none. */
  readonly body: unknown;
}

/** What the server says to one request: an answer, or a deed of its own on the connection. */
export type Answer =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | ((response: ServerResponse, request: SeenRequest) => void | Promise<void>);

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Answers `"GET /v1/balance"`, whatever its query, one after the other; the last one stays. */
  on(route: string, ...answers: readonly [Answer, ...Answer[]]): void;
  close(): Promise<void>;
}

/** Stands for the server where the client and the CLI are tested alone: real HTTP, answers from a script. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const scripts = new Map<string, Answer[]>();
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void serve(scripts, requests, request, response);
  });
  const port = await listen(server);
  const close = () => closeAll(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    on: (route, ...answers) => void scripts.set(route, [...answers]),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function serve(
  scripts: Map<string, Answer[]>,
  requests: SeenRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const seen = await readRequest(request);
  requests.push(seen);
  const script = scripts.get(`${seen.method} ${seen.path.split("?")[0]}`) ?? [NOT_SCRIPTED];
  const answer = (script.length > 1 ? script.shift() : script[0]) ?? NOT_SCRIPTED;
  if (typeof answer === "function") return answer(response, seen);
  response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
  response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const body = await text(request);
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    body: body === "" ? null : JSON.parse(body),
  };
}

const NOT_SCRIPTED: Answer = {
  status: 404,
  body: refusalBody("not_found", { message: "not in the script" }),
};

/** The body of an answer that says no. */
export function refusalBody(code: string, more: Readonly<Record<string, unknown>> = {}): object {
  const message = `refused: ${code}`;
  return { error: { type: "test", code, message, param: null, requestId: "req_test", ...more } };
}

/** A stream of server-sent events, cut into the given chunks. */
export function eventStream(...chunks: readonly (string | Uint8Array)[]): Answer {
  return async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_chat" });
    for (const chunk of chunks) {
      response.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    response.end();
  };
}

function listen(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return promise;
}

function closeAll(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}
