import { text } from "node:stream/consumers";
import { usageFailure } from "../failure.ts";

/** The message as given, or all of stdin. Throws: both are empty. */
export async function readMessage(given: string | undefined, example: string): Promise<string> {
  const message = given ?? (process.stdin.isTTY ? "" : await text(process.stdin));
  if (message.trim() !== "") return message;
  throw usageFailure("There is no message.", `Say something: ${example}`);
}
