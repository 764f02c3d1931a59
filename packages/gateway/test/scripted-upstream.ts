import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An upstream that answers word for word what a test writes: for what the sandbox model has too good manners for. */
export async function startScriptedUpstream(answer: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    request.on("end", () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** One chunk of a chat, as server-sent text. */
export function chunk(fields: { content?: string; finish?: string; usage?: object; index?: number }): string {
  const { content, finish, usage, index = 0 } = fields;
  const choice = { index, delta: content === undefined ? {} : { content }, finish_reason: finish ?? null };
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "sandbox-small" };
  return `data: ${JSON.stringify({ ...head, choices: [choice], ...(usage === undefined ? {} : { usage }) })}\n\n`;
}
