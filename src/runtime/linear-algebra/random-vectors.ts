import { type Key, randomStream } from "../../kernel/key.ts";

/** Independent standard normal numbers, [size]. */
export function normalVector(key: Key, size: number): Float64Array {
  const stream = randomStream(key);
  return Float64Array.from({ length: size }, () => stream.normal());
}

/** Independent signs, +1 or −1 with equal probability (Rademacher), [size]. */
export function signVector(key: Key, size: number): Float64Array {
  const stream = randomStream(key);
  const out = new Float64Array(size);
  let word = 0;
  for (let i = 0; i < size; i++) {
    // 32 signs a word.
    word = i % 32 === 0 ? stream.word() : word >>> 1;
    out[i] = (word & 1) === 1 ? 1 : -1;
  }
  return out;
}
