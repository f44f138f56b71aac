import { chachaWords } from "./chacha.ts";
import { LetheError } from "./errors.ts";

/**
 * The only source of randomness: 256 bits from which every random choice of a run is derived by name. Equal keys give
 * equal choices on every machine, so nothing random has to be stored.
 */
export type Key = Uint32Array & { readonly __brand: "Key" };

/** Rounds of ChaCha where secrecy counts (derivation) and where only statistical quality does (streams). */
const DERIVE_ROUNDS = 20;
const STREAM_ROUNDS = 8;
const KEY_WORDS = 8;
const BLOCK_BYTES = 16;

/** The root key of a run, from the user's seed. */
export function keyFromSeed(seed: number | string): Key {
  if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
    throw new LetheError("usage", "USAGE_SEED", `Expected an integer seed, got ${seed}.`);
  }
  return deriveKey(new Uint32Array(KEY_WORDS) as Key, "lethe", String(seed));
}

/**
 * A key for one purpose: `deriveKey(runKey, "dither", round, client)`.
 *
 * Each label is absorbed in 16-byte blocks k ← ChaCha20(k, block), its type and length first, so that different label
 * lists never collide by concatenation (cascade pseudo-random function over a prefix-free encoding).
 *
 * @param labels - words or safe integers
 */
export function deriveKey(parent: Key, ...labels: readonly (string | number)[]): Key {
  let key: Uint32Array = parent;
  for (const label of labels) {
    const bytes = new TextEncoder().encode(String(label));
    key = absorb(key, [typeof label === "number" ? 1 : 2, bytes.length, 0, 0]);
    for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
      const block = new Uint8Array(BLOCK_BYTES);
      block.set(bytes.subarray(start, start + BLOCK_BYTES));
      const view = new DataView(block.buffer);
      key = absorb(
        key,
        [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [number, number, number, number],
      );
    }
  }
  return key as Key;
}

/** The first `count` words of the key's stream, or those from block `firstBlock` (16 words each) on. */
export function randomWords(key: Key, count: number, firstBlock = 0): Uint32Array {
  const out = new Uint32Array(count);
  fillRandomWords(key, out, firstBlock);
  return out;
}

/** As {@link randomWords}, into `out`: ChaCha8, about 600 MB/s. */
export function fillRandomWords(key: Key, out: Uint32Array, firstBlock = 0): void {
  chachaWords(key, [0, 0], firstBlock, STREAM_ROUNDS, out);
}

/** Numbers drawn in order from one key. */
export interface RandomStream {
  /** A 32-bit word. */
  word(): number;
  /** Uniform on [0, 1), a multiple of 2^-32. */
  uniform(): number;
  /** Standard normal (Marsaglia's polar method). */
  normal(): number;
  /** Uniform on {0, …, bound − 1}, without modulo bias. */
  below(bound: number): number;
  /** A permutation of 0 … length − 1 (Fisher–Yates). */
  permutation(length: number): Uint32Array;
}

/** Opens the stream of a key; two streams of one key give the same numbers. */
export function randomStream(key: Key): RandomStream {
  const buffer = new Uint32Array(256);
  let position = buffer.length;
  let block = 0;
  let spareNormal: number | undefined;

  const word = (): number => {
    if (position === buffer.length) {
      fillRandomWords(key, buffer, block);
      block += buffer.length / 16;
      position = 0;
    }
    return buffer[position++] as number;
  };
  const uniform = (): number => word() / 0x1_0000_0000;
  const normal = (): number => {
    if (spareNormal !== undefined) {
      const value = spareNormal;
      spareNormal = undefined;
      return value;
    }
    for (;;) {
      const u = 2 * uniform() - 1;
      const v = 2 * uniform() - 1;
      const s = u * u + v * v;
      if (s === 0 || s >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      spareNormal = v * scale;
      return u * scale;
    }
  };
  const below = (bound: number): number => {
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    for (;;) {
      const value = word();
      if (value < limit) return value % bound;
    }
  };
  const permutation = (length: number): Uint32Array => {
    const order = Uint32Array.from({ length }, (_, index) => index);
    for (let last = length - 1; last > 0; last--) {
      const other = below(last + 1);
      const value = order[last] as number;
      order[last] = order[other] as number;
      order[other] = value;
    }
    return order;
  };
  return { word, uniform, normal, below, permutation };
}

function absorb(key: Uint32Array, block: readonly [number, number, number, number]): Uint32Array {
  const out = new Uint32Array(KEY_WORDS);
  // The 128 bits of the block go where the cipher has its counter and nonce.
  chachaWords(key, [block[2], block[3]], block[0] + block[1] * 0x1_0000_0000, DERIVE_ROUNDS, out);
  return out;
}
