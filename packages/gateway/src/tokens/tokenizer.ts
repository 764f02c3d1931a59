import { setImmediate } from "node:timers/promises";

/** Counts o200k tokens, the vocabulary of today's OpenAI models. For others it is an estimate. */
export type CountTokens = (text: string) => number;

/** The tokenizer takes time quadratic in the length of a word: 20 KB of one letter block it for half a second. */
const PIECE_CHARACTERS = 256;
/** Words that it remembers. The library's own default would let a caller fill memory with long ones. */
const REMEMBERED_WORDS = 20_000;
const TURN_CHARACTERS = 8192;

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

/** Counts much text without holding up the event loop for longer than about a millisecond at a time. */
export async function countInTurns(texts: readonly string[]): Promise<number> {
  const count = await loadTokenizer();
  let tokens = 0;
  let left = TURN_CHARACTERS;
  for (const text of texts) {
    for (let at = 0; at < text.length; ) {
      const end = endOfPiece(text, at, TURN_CHARACTERS);
      tokens += count(text.slice(at, end));
      left -= end - at;
      at = end;
      if (left > 0) continue;
      await setImmediate();
      left = TURN_CHARACTERS;
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
  const space = text.lastIndexOf(" ", end);
  return space > start ? space : end;
}
