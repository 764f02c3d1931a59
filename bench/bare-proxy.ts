/** The least that anything between a caller and a model can do: passes requests on to MODEL_URL, and answers back, with
 *  no hold, no meter and nothing on disk. */
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

const model = process.env["MODEL_URL"]!;
const agent = new Agent({ keepAlive: true, maxFreeSockets: 1024 });

const server = createServer((incoming, outgoing) => {
  const { host: _, ...headers } = incoming.headers;
  const passedOn = request(
    `${model}${incoming.url}`,
    { method: incoming.method, agent, headers },
    (response) => {
      outgoing.writeHead(response.statusCode!, response.headers);
      response.pipe(outgoing);
    },
  );
  passedOn.on("error", () => outgoing.destroy());
  incoming.pipe(passedOn);
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`ready http://127.0.0.1:${port}\n`);
});
