import type { Interface } from "node:readline";

/** The lines of a text that is pasted come in one breath, those of a person do not. */
const BREATH_MILLISECONDS = 50;

/** What a person types, line by line, or pastes: then all of its lines together, and what stands there after the last
 *  line end once Enter is pressed. Ends with the reader; Ctrl-C drops what is not whole. To be called before anybody
 *  else listens to Ctrl-C. */
export function textsOf(reader: Interface): AsyncGenerator<string> {
  const whole: string[] = [];
  let lines: string[] = [];
  let breath: NodeJS.Timeout | undefined;
  let isOver = false;
  let wake = () => undefined as void;
  const give = () => {
    if (lines.length > 0) whole.push(lines.join("\n"));
    lines = [];
    wake();
  };
  reader.on("SIGINT", () => {
    lines = [];
  });
  reader.on("line", (line) => {
    lines.push(line);
    clearTimeout(breath);
    breath = setTimeout(() => (reader.line === "" ? give() : undefined), BREATH_MILLISECONDS);
  });
  reader.on("close", () => {
    clearTimeout(breath);
    isOver = true;
    give();
  });
  return (async function* () {
    for (;;) {
      const next = whole.shift();
      if (next !== undefined) yield next;
      else if (isOver) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  })();
}
