import type pg from "pg";

/** One statement of a round trip: prepared beforehand under its name, its columns as text, its parameters as text or, in
 *  a buffer, in the binary format. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly (string | Buffer | null)[];
  readonly onRow?: (columns: readonly (string | null)[]) => void;
}

/** Rows on their way in, as lines of COPY's text format. */
export interface CopyIn {
  readonly name: string;
  readonly text: string;
  readonly lines: Buffer;
}

/** What we use of the driver's connection. Its type declarations leave these out; pg-cursor and pg-query-stream, by
 *  the same authors, are built on them. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { name: string; text: string; types: readonly number[] }): void;
  bind(message: { portal: string; statement: string; values: readonly (string | Buffer | null)[] }): void;
  execute(message: { portal: string }): void;
  sync(): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Sends any number of statements, also COPY, in one write, with one Sync at the end, and waits once. The driver's own
 *  pipeline pays a Sync, a result object and a write a statement, and knows no COPY: this is what makes a batch of 512
 *  cost one or two waits. The first error ends the trip; the transaction it was in is still to be rolled back.
 *  Sent "ahead", it goes out at once although the trip before it is still under way: Postgres goes from one to the
 *  other without waiting for us. Only one trip may be ahead, and nothing else may wait between the two.
 *  Needs a client that is not in pipeline mode, and its statements prepared. */
export function roundTrip(
  client: pg.ClientBase,
  steps: readonly (Statement | CopyIn)[],
  sending: "in turn" | "ahead" = "in turn",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const trip = new RoundTrip(steps, resolve, reject);
    if (sending === "ahead") trip.submit((client as unknown as { connection: Wire }).connection);
    // The driver takes any object with these methods for a query.
    client.query(trip as unknown as pg.Submittable);
  });
}

/** Prepares statements for this connection, all at once, so that an error later leaves no doubt which ones are. */
export function prepare(
  client: pg.ClientBase,
  statements: readonly Pick<Statement, "name" | "text">[],
): Promise<string> {
  return new Promise((resolve, reject) => {
    client.query(new Preparation(statements, resolve, reject) as unknown as pg.Submittable);
  });
}

class RoundTrip {
  readonly #steps: readonly (Statement | CopyIn)[];
  readonly #resolve: (lastCommand: string) => void;
  readonly #reject: (error: Error) => void;
  #isSent = false;
  #current = 0;
  #lastCommand = "";

  constructor(
    steps: readonly (Statement | CopyIn)[],
    resolve: (lastCommand: string) => void,
    reject: (error: Error) => void,
  ) {
    this.#steps = steps;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(wire: Wire): null {
    if (this.#isSent) return null;
    this.#isSent = true;
    wire.stream.cork();
    for (const step of this.#steps) send(wire, step);
    wire.sync();
    wire.stream.uncork();
    return null;
  }

  handleDataRow(message: { fields: (string | null)[] }): void {
    const step = this.#steps[this.#current]!;
    if ("onRow" in step) step.onRow?.(message.fields);
  }

  handleCommandComplete(message: { text: string }): void {
    this.#lastCommand = message.text;
    this.#current += 1;
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#lastCommand);
  }

  handleError(error: Error): void {
    this.#reject(error);
  }

  handleRowDescription(): void {
    // The columns are known.
  }

  handleCopyInResponse(): void {
    // The lines are on their way already.
  }

  handleEmptyQuery(): void {
    this.#current += 1;
  }
}

class Preparation extends RoundTrip {
  readonly #statements: readonly Pick<Statement, "name" | "text">[];

  constructor(
    statements: readonly Pick<Statement, "name" | "text">[],
    resolve: (lastCommand: string) => void,
    reject: (error: Error) => void,
  ) {
    super([], resolve, reject);
    this.#statements = statements;
  }

  override submit(wire: Wire): null {
    wire.stream.cork();
    for (const { name, text } of this.#statements) wire.parse({ name, text, types: [] });
    wire.sync();
    wire.stream.uncork();
    return null;
  }
}

function send(wire: Wire, step: Statement | CopyIn): void {
  wire.bind({ portal: "", statement: step.name, values: "values" in step ? step.values : [] });
  wire.execute({ portal: "" });
  if (!("lines" in step)) return;
  wire.sendCopyFromChunk(step.lines);
  wire.endCopyFrom();
}
