import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Failure } from "./failure.ts";

/** What a person answers, asked on stderr, so that the one answer on stdout stays the last word. What is secret is not
 *  shown. Throws: they have left, by Ctrl-C or Ctrl-D. */
export async function question(asked: string, isSecret = false): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = isSecret ? nowhere : process.stderr;
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  const { promise: left, reject } = Promise.withResolvers<never>();
  terminal.once("close", () => reject(new Failure("interrupted", "interrupted", "Nothing is done.")));
  terminal.once("SIGINT", () => terminal.close());
  // Only now is nothing shown any more that is typed, and Ctrl-C ours.
  if (isSecret) process.stderr.write(asked);
  try {
    return await Promise.race([terminal.question(isSecret ? "" : asked), left]);
  } finally {
    terminal.close();
    if (isSecret) process.stderr.write("\n");
  }
}
