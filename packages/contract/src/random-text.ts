/** Random text over an alphabet of 32 characters (5 bits each), from the platform's secure source.
 *  Random bytes are drawn in blocks, because one system call an id would be felt on the hot path. */
export function randomText(alphabet: string, length: number): () => string {
  if (alphabet.length !== 32)
    throw new Error("the alphabet needs 32 characters, so that 5 bits choose one evenly");
  const block = new Uint8Array(length * 128);
  let position = block.length;
  return () => {
    if (position === block.length) {
      crypto.getRandomValues(block);
      position = 0;
    }
    let text = "";
    for (const byte of block.subarray(position, position + length)) text += alphabet[byte & 31];
    position += length;
    return text;
  };
}
