import { hash } from "node:crypto";
import pg from "pg";

/** A connection on which every statement with parameters is prepared at its first use and then known by its name:
 *  reading and planning a statement costs Postgres more than running one that finds a row or two.
 *  Texts must be constants, because each is kept on the connection until its end. */
export class PreparingClient extends pg.Client {
  override query(...given: unknown[]): never {
    const [text, values] = given;
    const asked =
      typeof text === "string" && Array.isArray(values)
        ? [{ name: nameOf(text), text, values }, ...given.slice(2)]
        : given;
    return (super.query as (...all: unknown[]) => never)(...asked);
  }
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `q_${hash("sha256", text, "hex").slice(0, 32)}`;
    names.set(text, name);
  }
  return name;
}
