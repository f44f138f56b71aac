import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint, type RunProgress } from "./checkpoint.ts";

const LENGTH = 6;
const progress: RunProgress = {
  localSteps: 48,
  clientRounds: 8,
  series: [
    { round: 1, accuracy: 0.25, attackSuccess: 0.5 },
    { round: 2, accuracy: 1 / 3 },
  ],
};
const velocity = Float32Array.of(0.1, -2, 3e-20, 0, 5e7, -0.7);

describe("a checkpoint", () => {
  it("gives back what was put in, to the last bit", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const point = fc.record(
      { round: fc.nat(), accuracy: share, attackSuccess: share },
      { requiredKeys: ["round", "accuracy"] },
    );
    const runs = fc.record({ localSteps: fc.nat(), clientRounds: fc.nat(), series: fc.array(point) });
    const floats = fc.array(fc.float({ noNaN: true }), { minLength: LENGTH, maxLength: LENGTH });
    fc.assert(
      fc.property(runs, floats, (run, values) => {
        const bytes = encodeCheckpoint(Float32Array.from(values), run);
        // As a store gives it back: somewhere inside a larger buffer.
        const inside = new Uint8Array(bytes.length + 7);
        inside.set(bytes, 3);
        const found = decodeCheckpoint(inside.subarray(3, 3 + bytes.length), LENGTH);
        expect(found.velocity).toEqual(Float32Array.from(values));
        expect(JSON.stringify(found.progress)).toBe(JSON.stringify(run));
      }),
    );
  });

  it("without a velocity stands for a velocity of zero", () => {
    const found = decodeCheckpoint(encodeCheckpoint(new Float32Array(0), progress), LENGTH);
    expect(found).toEqual({ velocity: new Float32Array(LENGTH), progress });
  });

  it("cut short anywhere is an integrity error, but for the end of the text where a velocity of zero begins", () => {
    const bytes = encodeCheckpoint(velocity, progress);
    const textEnd = bytes.length - velocity.byteLength;
    for (let end = 0; end < bytes.length; end++) {
      if (end === textEnd) continue;
      expect(() => decodeCheckpoint(bytes.subarray(0, end), LENGTH)).toThrowError(
        expect.objectContaining({ code: "LETHE_INTEGRITY_CHECKPOINT", kind: "integrity" }),
      );
    }
  });

  it.each([
    ["of another model", encodeCheckpoint(velocity, progress), LENGTH + 1],
    ["with a length that lies", Uint8Array.of(255, 255, 255, 255, 123, 125), LENGTH],
    ["with text that is no progress", new Uint8Array([2, 0, 0, 0, 123, 125]), LENGTH],
    ["with text that is no text", new Uint8Array([2, 0, 0, 0, 255, 254]), LENGTH],
  ])("%s is an integrity error", (_what, bytes, length) => {
    expect(() => decodeCheckpoint(bytes, length)).toThrowError(
      expect.objectContaining({ code: "LETHE_INTEGRITY_CHECKPOINT" }),
    );
  });
});
