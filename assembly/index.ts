// The fast path of src/history: the loops of its TypeScript over whole vectors, bit for bit. Every function works on the
// addresses it is given; src/history/fast/ lays out the memory. Vectors of numbers end at a multiple of 64 bytes and may be
// written up to there.
export { fillWords } from "./chacha";
export { decodeSymbols } from "./decode-symbols";
export { encodeSymbols } from "./encode-symbols";
export { measure } from "./measure";
export { describeTrellis, quantiseTrellis, reconstructTrellis } from "./trellis";
export { describeIntegers, quantiseIntegers, reconstructIntegers } from "./integers";
