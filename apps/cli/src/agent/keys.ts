import { emitKeypressEvents, type Key } from "node:readline";

/** The keyboard of a terminal while a run goes on: Esc and Ctrl-C cancel it, and questions get their answer. */
export interface Keyboard {
  /** Resolves with the first of these letters that is pressed; "n" when the signal aborts. */
  ask(letters: string, signal: AbortSignal): Promise<string>;
  close(): void;
}

/** Takes the keyboard. `onCancel`: Esc or Ctrl-C, while no question waits for them (to which they are a no). */
export function openKeyboard(input: NodeJS.ReadStream, onCancel: () => void): Keyboard {
  let asking: ((letter: string) => void) | null = null;
  let letters = "";
  const onKey = (text: string | undefined, key: Key) => {
    const isCancel = key.name === "escape" || (key.ctrl === true && key.name === "c");
    if (isCancel) {
      asking?.("n");
      onCancel();
      return;
    }
    const letter = (text ?? "").toLowerCase();
    if (asking !== null && letter !== "" && letters.includes(letter)) asking(letter);
  };
  emitKeypressEvents(input);
  const wasRaw = input.isRaw;
  input.setRawMode(true);
  input.resume();
  input.on("keypress", onKey);
  return {
    ask: (wanted, signal) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const answer = (letter: string) => {
        asking = null;
        signal.removeEventListener("abort", no);
        resolve(letter);
      };
      const no = () => answer("n");
      letters = wanted;
      asking = answer;
      signal.addEventListener("abort", no, { once: true });
      if (signal.aborted) no();
      return promise;
    },
    close: () => {
      input.off("keypress", onKey);
      input.setRawMode(wasRaw);
      input.pause();
    },
  };
}
