/** The least that anything between a caller and a model can do: passes requests on to MODEL_URL, and answers back, with
 *  no meter. With DATABASE_URL it is the least that a gate can do: each request first takes a credit from one of the
 *  RAW_ACCOUNTS that `createRawTable` has made there, by one durable UPDATE. */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import pg from "pg";
import { randomIntegers } from "./measure.ts";
import { TAKE_CREDIT } from "./raw-update.ts";

const model = process.env["MODEL_URL"]!;
const connectionString = process.env["DATABASE_URL"];
const accounts = Number(process.env["RAW_ACCOUNTS"]);
const pool = connectionString === undefined ? null : new pg.Pool({ connectionString });
const random = randomIntegers(1);
const agent = new Agent({ keepAlive: true, maxFreeSockets: 1024 });

async function passOn(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  await pool?.query({ name: "take", text: `${TAKE_CREDIT}$1`, values: [1 + random(accounts)] });
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
}

const server = createServer((incoming, outgoing) => {
  passOn(incoming, outgoing).catch(() => outgoing.destroy());
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`ready http://127.0.0.1:${port}\n`);
});
