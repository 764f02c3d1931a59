import { createHash } from "node:crypto";

/** A unit vector drawn from a hash of the text. Fewer dimensions are a prefix, scaled to length 1 again, as with
 *  OpenAI's shortened embeddings. */
export function unitVector(text: string, dimensions: number): Float32Array {
  const random = randomFrom(createHash("sha256").update(text).digest());
  const vector = Float32Array.from({ length: dimensions }, () => random() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** xorshift128: small, fast, the same on every machine. */
function randomFrom(seed: Buffer): () => number {
  let a = seed.readUInt32LE(0) | 1;
  let b = seed.readUInt32LE(4);
  let c = seed.readUInt32LE(8);
  let d = seed.readUInt32LE(12);
  return () => {
    const mixed = a ^ (a << 11);
    [a, b, c] = [b, c, d];
    d = d ^ (d >>> 19) ^ mixed ^ (mixed >>> 8);
    return (d >>> 0) / 2 ** 32;
  };
}
