import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { type InversionTarget, inversionProbe } from "./inversion-probe.ts";

const SIZE = 36;
const stream = randomStream(keyFromSeed("inversion"));
const input = (): Float32Array => Float32Array.from({ length: SIZE }, () => Math.round(stream.uniform()));
const forget = [input(), input(), input()];
const holdout = [input(), input(), input()];

/** A model that remembers one picture: its loss is the squared distance to it. */
function remembering(picture: Float32Array): InversionTarget {
  return {
    size: SIZE,
    columns: 6,
    range: [0, 1],
    gradient: async (x) => ({
      loss: x.reduce((sum, value, index) => sum + (value - (picture[index] as number)) ** 2, 0),
      gradient: x.map((value, index) => 2 * (value - (picture[index] as number))),
    }),
  };
}

describe("model inversion", () => {
  const key = keyFromSeed(1);

  it("brings back what the model remembers, within the range of inputs", async () => {
    const secret = forget[1] as Float32Array;
    const found = await inversionProbe(remembering(secret), forget, holdout, key);
    expect(found.forgetResemblance).toBeGreaterThan(0.98);
    expect(found.forgetResemblance).toBeGreaterThan(found.holdoutResemblance + 0.3);
    expect(found.losses.at(-1) as number).toBeLessThan(0.05 * (found.losses[0] as number));
    expect(Math.min(...found.picture)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...found.picture)).toBeLessThanOrEqual(1);
  });

  it("comes to rest: steps shrink, so that grey values are met too", async () => {
    const grey = Float64Array.from({ length: SIZE }, (_, at) => at / SIZE);
    // Steps of one length would end in turn on one side of the grey and on the other.
    for (const steps of [200, 201]) {
      const target = remembering(Float32Array.from(grey));
      const { picture } = await inversionProbe(target, forget, holdout, key, { steps });
      const furthest = Math.max(...picture.map((value, at) => Math.abs(value - (grey[at] as number))));
      expect(furthest).toBeLessThan(0.01);
    }
  });

  it("finds a stranger no more like the forgotten than like others", async () => {
    const found = await inversionProbe(remembering(input()), forget, holdout, key);
    expect(found.forgetResemblance).toBeLessThan(0.7);
  });

  it("stops where the gradient is gone, with a picture that resembles nothing", async () => {
    const flat: InversionTarget = {
      ...remembering(input()),
      gradient: async () => ({ loss: 1, gradient: new Float32Array(SIZE) }),
    };
    const found = await inversionProbe(flat, forget, holdout, key);
    expect(found.losses).toEqual([1]);
    expect(Math.abs(found.forgetResemblance)).toBeLessThan(0.6);
  });

  it("smooths the picture on request", async () => {
    const checkers = Float32Array.from({ length: SIZE }, (_, at) => (Math.floor(at / 6) + at) % 2);
    const contrast = async (smoothness: number) => {
      const { picture } = await inversionProbe(remembering(checkers), forget, holdout, key, { smoothness });
      return Math.max(...picture) - Math.min(...picture);
    };
    expect(await contrast(1)).toBeLessThan(0.5 * (await contrast(0)));
  });

  it("refuses diverged gradients and inputs of another size", async () => {
    const broken: InversionTarget = {
      ...remembering(input()),
      gradient: async () => ({ loss: 1, gradient: new Float32Array(SIZE).fill(Number.NaN) }),
    };
    await expect(inversionProbe(broken, forget, holdout, key)).rejects.toThrow(/36 of 36/);
    await expect(inversionProbe(broken, [new Float32Array(3)], holdout, key)).rejects.toThrow(/one length/);
    await expect(inversionProbe(broken, forget, [], key)).rejects.toThrow(/holdout inputs/);
  });
});
