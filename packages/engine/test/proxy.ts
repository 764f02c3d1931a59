/** A TCP proxy in front of Postgres's unix socket, that can fail in the ways a network does. */
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

export class Proxy {
  readonly #socketPath: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #hangs = false;
  #loseCommits = 0;
  /** How many answers to COMMIT it has swallowed. */
  lostCommits = 0;

  private constructor(socketPath: string) {
    this.#socketPath = socketPath;
    this.#server = createServer((client) => this.#connect(client));
  }

  /** `url` is the database's, with its socket directory as `host`. */
  static async before(url: string): Promise<{ proxy: Proxy; url: string }> {
    const parsed = new URL(url);
    const directory = parsed.searchParams.get("host")!;
    const proxy = new Proxy(join(directory, ".s.PGSQL.5432"));
    await proxy.open();
    parsed.searchParams.delete("host");
    parsed.host = `127.0.0.1:${proxy.#port}`;
    return { proxy, url: parsed.href };
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Nobody listens any more, and what was connected is cut. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Connections stay, also new ones, and no byte moves. */
  hang(): void {
    this.#hangs = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#hangs = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** The next COMMITs that pass are done, and their answers lost with the connection. */
  loseCommits(count: number): void {
    this.#loseCommits = count;
  }

  #connect(client: Socket): void {
    const server = createConnection(this.#socketPath);
    const state = { asked: "", answer: null as string | null };
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", end).on("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on("data", (chunk) => {
      // The statement's name, in the message that binds it (not the one that prepares it); it may come in two pieces.
      state.asked = state.asked.slice(-32) + chunk.toString("latin1");
      if (this.#loseCommits > 0 && state.answer === null && state.asked.includes("ledger_commit\0\0")) {
        this.#loseCommits -= 1;
        state.answer = "";
      }
      server.write(chunk);
    });
    server.on("data", (chunk) => {
      if (state.answer === null) return void client.write(chunk);
      state.answer += chunk.toString("latin1");
      if (!state.answer.includes("COMMIT\0")) return;
      this.lostCommits += 1;
      end();
    });
    if (this.#hangs) for (const socket of [client, server]) socket.pause();
  }
}
