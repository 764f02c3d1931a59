import { setImmediate } from "node:timers/promises";

/** Counts o200k tokens, the vocabulary of today's OpenAI models. For others it is an estimate. */
export type CountTokens = (text: string) => number;

/** The tokenizer takes time quadratic in the length of a word: 20 KB of one letter block it for half a second. */
const PIECE_CHARACTERS = 256;
/** Words that it remembers. The library's own default would let a caller fill memory with long ones. */
const REMEMBERED_WORDS = 20_000;
const TURN_MILLISECONDS = 1;

let loaded: CountTokens | null = null;
let loading: Promise<CountTokens> | null = null;

/** Loads the vocabulary on first use: 2.4 MB of source, a fifth of a second and 60 MB that a start does not pay. */
export function loadTokenizer(): Promise<CountTokens> {
  loading ??= import("gpt-tokenizer/encoding/o200k_base").then(({ countTokens, setMergeCacheSize }) => {
    setMergeCacheSize(REMEMBERED_WORDS);
    // A prompt may speak of <|endoftext|>: as text, not as an order.
    const asText = { disallowedSpecial: new Set<string>() };
    loaded = (text) => countPieces(text, (piece) => countTokens(piece, asText));
    return loaded;
  });
  return loading;
}

/** null until it is loaded: for counting where nothing may wait. */
export function tokenizerIfLoaded(): CountTokens | null {
  return loaded;
}

/** Counts much text without holding up the event loop: noise such as base64 takes fifty times as long as prose. Stops
 *  where there are more than `most`, and gives what it has counted by then. */
export async function countInTurns(
  texts: readonly string[],
  most = Number.POSITIVE_INFINITY,
): Promise<number> {
  const count = await loadTokenizer();
  let tokens = 0;
  let turnEnds = performance.now() + TURN_MILLISECONDS;
  for (const text of texts) {
    for (let at = 0; at < text.length && tokens <= most; ) {
      const end = endOfPiece(text, at, PIECE_CHARACTERS);
      tokens += count(text.slice(at, end));
      at = end;
      if (performance.now() < turnEnds) continue;
      await setImmediate();
      turnEnds = performance.now() + TURN_MILLISECONDS;
    }
  }
  return tokens;
}

function countPieces(text: string, count: CountTokens): number {
  let tokens = 0;
  for (let at = 0; at < text.length; ) {
    const end = endOfPiece(text, at, PIECE_CHARACTERS);
    tokens += count(text.slice(at, end));
    at = end;
  }
  return tokens;
}

/** Cuts before a space, where tokens begin anyway, so that the parts count as the whole does. */
function endOfPiece(text: string, start: number, length: number): number {
  const end = start + length;
  if (end >= text.length) return text.length;
  // In the piece alone: where there are no spaces, a search of the text would begin at its beginning each time.
  const space = text.slice(start, end + 1).lastIndexOf(" ");
  return space > 0 ? start + space : end;
}
