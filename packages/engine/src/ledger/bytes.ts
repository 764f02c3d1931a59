/** At most, in UTF-8, of one UTF-16 unit. */
export const BYTES_PER_CHARACTER = 3;

/** This buffer if so many bytes more fit behind those that are used, else a larger one with those in it. */
export function withRoom(buffer: Buffer<ArrayBuffer>, used: number, bytes: number): Buffer<ArrayBuffer> {
  const needed = used + bytes;
  if (needed <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(Math.max(needed, buffer.length * 2));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
