import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chachaWords } from "./chacha.ts";
import { deriveKey, keyFromSeed, randomStream, randomWords } from "./key.ts";

describe("chachaWords", () => {
  it("reproduces the ChaCha20 key stream of RFC 7539, appendix A.1, vector 1", () => {
    const out = new Uint32Array(16);
    chachaWords(new Uint32Array(8), [0, 0], 0, 20, out);
    const bytes = new Uint8Array(out.buffer);
    expect(Buffer.from(bytes).toString("hex")).toBe(
      "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
    );
  });

  it("gives the same words whatever the buffer's length and start", () => {
    const key = keyFromSeed(3);
    const all = randomWords(key, 100);
    expect(randomWords(key, 37)).toEqual(all.subarray(0, 37));
    expect(randomWords(key, 68, 2)).toEqual(all.subarray(32));
  });
});

describe("deriveKey", () => {
  it("separates labels by type, order and boundary", () => {
    const root = keyFromSeed(1);
    const keys = [
      deriveKey(root, "ab", "c"),
      deriveKey(root, "a", "bc"),
      deriveKey(root, "abc"),
      deriveKey(root, "1"),
      deriveKey(root, 1),
      deriveKey(root, "c", "ab"),
    ];
    expect(new Set(keys.map((key) => key.join())).size).toBe(keys.length);
  });

  it("refuses a seed that is not an integer", () => {
    expect(() => keyFromSeed(0.5)).toThrow(/integer seed/);
  });
});

describe("randomStream", () => {
  it("draws permutations that hold every index once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer(), (length, seed) => {
        const order = randomStream(keyFromSeed(seed)).permutation(length);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, index) => index));
      }),
      { numRuns: 50 },
    );
  });

  it("has the moments of the standard normal", () => {
    const stream = randomStream(keyFromSeed(11));
    const count = 100_000;
    let sum = 0;
    let squares = 0;
    for (let index = 0; index < count; index++) {
      const value = stream.normal();
      sum += value;
      squares += value * value;
    }
    // Four standard errors of the mean and of the second moment.
    expect(Math.abs(sum / count)).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(squares / count - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
  });

  it("draws below a bound without bias", () => {
    const stream = randomStream(keyFromSeed(5));
    const counts = new Array<number>(7).fill(0);
    for (let index = 0; index < 70_000; index++) {
      const value = stream.below(7);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });
});
