/** One message of a server-sent event stream. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Splits a byte stream into events, wherever its chunks break: inside a character, a line end or a field.
 *  As the WHATWG rules say, an event that the stream's end cuts off is not delivered. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let event = "";
  let data: string[] = [];
  for await (const line of readLines(chunks)) {
    if (line === "") {
      if (data.length > 0) yield { event: event === "" ? "message" : event, data: data.join("\n") };
      event = "";
      data = [];
      continue;
    }
    const [name, value] = splitField(line);
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
  }
}

/** A line without a colon is a name alone; one that begins with a colon, a comment, has an empty name. */
function splitField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  if (colon === -1) return [line, ""];
  const start = line[colon + 1] === " " ? colon + 2 : colon + 1;
  return [line.slice(0, colon), line.slice(start)];
}

/** Lines end in LF, CR or CRLF. A CR at the end of a chunk waits for the next, which may begin with its LF. */
async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest.endsWith("\r")) yield rest.slice(0, -1);
}
