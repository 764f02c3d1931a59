/** One token is up to 16 letters, digits, marks or underscores, or one other visible character, each together
 *  with the white space before it; white space at the very end is one token of its own. */
const tokenPattern = /\s*(?:[\p{L}\p{N}\p{M}_]{1,16}|[^\s\p{L}\p{N}\p{M}_])|\s+/gu;

/** Cuts text into the sandbox's tokens. Joined again they are the text, so a streamed answer loses nothing. */
export function tokenize(text: string): string[] {
  return text.match(tokenPattern) ?? [];
}

/** Units: sandbox tokens, the ones that `usage` reports. */
export function countTokens(text: string): number {
  return tokenize(text).length;
}
