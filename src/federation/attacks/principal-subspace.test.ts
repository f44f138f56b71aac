import { describe, expect, it } from "vitest";
import { samplesOf } from "../../data/samples.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { principalSubspace } from "./principal-subspace.ts";

/** Points μ + Σ_k σ_k z_k e_k on the first axes of a space of `length` dimensions, and a little noise on all. */
function cloud(length: number, deviations: readonly number[], noise: number, count = 400) {
  const stream = randomStream(keyFromSeed("cloud"));
  const values = Float32Array.from({ length: count * length }, (_, at) => {
    const axis = at % length;
    return 10 + (deviations[axis] ?? 0) * stream.normal() + noise * stream.normal();
  });
  return samplesOf({
    idPrefix: "cloud",
    featureShape: [length],
    features: { values },
    labels: new Int32Array(count),
    classCount: 2,
  });
}

const request = { components: 3, sampleCount: 400 };

describe("principalSubspace", () => {
  it("finds the axes along which the data vary most, not the direction of their mean", () => {
    const basis = principalSubspace(cloud(40, [5, 4, 3], 0.05), request, keyFromSeed(1));
    expect(basis).toHaveLength(3);
    for (const direction of basis) {
      const share = direction.slice(0, 3).reduce((sum, value) => sum + value ** 2, 0);
      expect(share).toBeGreaterThan(0.999);
    }
  });

  it("gives orthonormal directions", () => {
    const basis = principalSubspace(cloud(40, [5, 4, 3], 1), request, keyFromSeed(2));
    basis.forEach((a, i) => {
      basis.forEach((b, j) => {
        const product = a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 10);
      });
    });
  });

  it("gives fewer directions where the data vary in fewer", () => {
    expect(principalSubspace(cloud(40, [5, 4], 0), request, keyFromSeed(3))).toHaveLength(2);
  });

  it("reads no more samples than asked", () => {
    const samples = cloud(10, [5], 0.1);
    let read = 0;
    const counting = {
      ...samples,
      gather: (...args: Parameters<typeof samples.gather>) => {
        read += args[0].length;
        samples.gather(...args);
      },
    };
    principalSubspace(counting, { components: 1, sampleCount: 50 }, keyFromSeed(4));
    expect(read).toBe(50);
  });
});
