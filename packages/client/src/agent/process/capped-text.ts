import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

/** Keeps the beginning and the end of a text that may be endless, in memory that is not. */
export class CappedText {
  readonly #limit: number;
  readonly #decoder = new StringDecoder("utf8");
  #head = "";
  #tail = "";
  #length = 0;

  /** `limit`: the most characters that `text()` gives, its own remark included. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(bytes: Buffer): void {
    this.#append(this.#decoder.write(bytes));
  }

  text(): string {
    this.#append(this.#decoder.end());
    if (this.#length <= this.#limit) return clean(this.#head + this.#tail);
    const shown = this.#limit - REMARK_CHARACTERS;
    const head = clean(this.#head).slice(0, Math.ceil(shown / 2));
    const tail = clean(this.#tail).slice(-Math.floor(shown / 2));
    const left = this.#length - head.length - tail.length;
    // A cut may go through a character of two halves, and models' providers refuse a half.
    return `${head}\n… ${left} characters left out …\n${tail}`.toWellFormed();
  }

  #append(text: string): void {
    this.#length += text.length;
    const room = this.#limit - this.#head.length;
    if (room > 0) this.#head += text.slice(0, room);
    const rest = room > 0 ? text.slice(room) : text;
    if (rest !== "") this.#tail = (this.#tail + rest).slice(-this.#limit);
  }
}

const REMARK_CHARACTERS = 64;

/** A model reads no colours, and NUL is in nobody's text. */
function clean(text: string): string {
  return stripVTControlCharacters(text).replaceAll("\u0000", "\uFFFD");
}
