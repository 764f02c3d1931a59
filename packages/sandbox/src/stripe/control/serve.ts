import type { IncomingMessage, ServerResponse } from "node:http";
import { messagePage } from "../page/pages.ts";
import { answerPage } from "../page/serve.ts";
import { invalid, Refusal } from "../refusal.ts";
import { readText } from "../wire/body.ts";
import type { World } from "../world.ts";
import type { Actions } from "./actions.ts";
import { answerControl } from "./routes.ts";

/** Scripts never run on these pages. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/** Everything below `/sandbox`: JSON for tools, pages and their forms for people. No key is needed. */
export async function serveSandbox(
  world: World,
  actions: Actions,
  tick: () => Promise<number>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", world.url);
  const method = request.method ?? "GET";
  const text = await readText(request);
  if (text === null) return;
  // Another site cannot send JSON from somebody's browser without being asked.
  const isTool = !isForm(request) && !(method === "GET" && wantsPage(request));
  try {
    if (isTool && text !== "" && !isJson(request))
      throw invalid("The content-type must be application/json.");
    if (!isTool)
      return showPage(
        response,
        answerPage(world, actions, pathname, method === "GET" ? null : new URLSearchParams(text)),
      );
    const control = { actions, faults: world.faults, tick };
    const answer = await answerControl(control, method, pathname, text);
    if (answer !== null) return showJson(response, 200, answer);
    showJson(response, 404, { error: { message: `Nothing at ${method} ${pathname}` } });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (isTool) showJson(response, error.status, { error: error.body });
    else show(response, error.status, messagePage("That did not work", error.message));
  }
}

function isForm({ headers }: IncomingMessage): boolean {
  return headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
}

function isJson({ headers }: IncomingMessage): boolean {
  return headers["content-type"]?.startsWith("application/json") === true;
}

function wantsPage({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes("text/html") === true;
}

function showPage(response: ServerResponse, answer: ReturnType<typeof answerPage>): void {
  if (answer === null) show(response, 404, messagePage("Nothing here", "There is no such page."));
  else if (answer.kind === "page") show(response, 200, answer.text);
  else response.writeHead(303, { location: answer.url }).end();
}

function show(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  });
  response.end(text);
}

function showJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}
