import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveKey, type Key, keyFromSeed } from "../../kernel/key.ts";
import { conjugateGradient } from "./conjugate-gradient.ts";
import { lanczos } from "./lanczos.ts";
import { addScaled, damped, dot, matrixOperator, norm } from "./linear-operator.ts";
import { lissa } from "./lissa.ts";
import { orthonormalColumns } from "./orthonormal.ts";
import { normalVector, signVector } from "./random-vectors.ts";
import { hutchinsonTrace } from "./trace.ts";

const KEY = keyFromSeed(3);

/** A symmetric matrix with a given spectrum in a random basis, and the basis (column j belongs to `spectrum[j]`). */
function withSpectrum(spectrum: readonly number[], key: Key = KEY) {
  const size = spectrum.length;
  const basis = orthonormalColumns(size, size, normalVector(key, size * size));
  const matrix = Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return spectrum.reduce(
      (sum, value, k) => sum + value * (basis[i * size + k] as number) * (basis[j * size + k] as number),
      0,
    );
  });
  return { operator: matrixOperator(size, matrix), basis };
}

const spectra = fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 2, maxLength: 9 });

describe("conjugate gradients", () => {
  it("solve a damped system in no more steps than its size", async () => {
    await fc.assert(
      fc.asyncProperty(spectra, fc.double({ min: 0, max: 2, noNaN: true }), async (spectrum, damping) => {
        const { operator } = withSpectrum(spectrum);
        const right = normalVector(deriveKey(KEY, "right"), operator.size);
        const { solution, residuals, reason } = await conjugateGradient(operator, right, {
          damping,
          tolerance: 1e-9,
          maxIterations: 4 * operator.size,
        });
        expect(reason).toBe("converged");
        expect(residuals[0]).toBe(1);
        const left = right.slice();
        addScaled(left, await damped(operator, damping).apply(solution), -1);
        expect(norm(left) / norm(right)).toBeLessThan(1e-8);
      }),
      { numRuns: 30 },
    );
  });

  it("are done at once when they begin at the solution, and for b = 0", async () => {
    const { operator } = withSpectrum([1, 2, 3]);
    const start = Float64Array.of(1, -2, 0.5);
    const right = await operator.apply(start);
    const options = { tolerance: 1e-9, maxIterations: 10 };
    const again = await conjugateGradient(operator, right, { ...options, start });
    expect(again.residuals).toHaveLength(1);
    expect(again.reason).toBe("converged");
    const none = await conjugateGradient(operator, new Float64Array(3), options);
    expect([...none.solution]).toEqual([0, 0, 0]);
  });

  it("stop where the curvature is negative, and say so; damping mends it", async () => {
    const { operator } = withSpectrum([3, 1, -2]);
    const right = normalVector(KEY, 3);
    const options = { tolerance: 1e-9, maxIterations: 10 };
    expect((await conjugateGradient(operator, right, options)).reason).toBe("negative-curvature");
    expect((await conjugateGradient(operator, right, { ...options, damping: 2.5 })).reason).toBe("converged");
  });

  it("tell when the steps did not suffice, and refuse products that are no numbers", async () => {
    const { operator } = withSpectrum([100, 10, 1, 0.1]);
    const right = normalVector(KEY, 4);
    const short = await conjugateGradient(operator, right, { tolerance: 1e-12, maxIterations: 2 });
    expect(short.reason).toBe("max-iterations");
    expect(short.residuals).toHaveLength(3);
    const broken = { size: 4, apply: async () => new Float64Array(4).fill(Number.NaN) };
    await expect(
      conjugateGradient(broken, right, { tolerance: 1e-6, maxIterations: 3 }),
    ).rejects.toMatchObject({ code: "LETHE_NUMERIC_NOT_FINITE" });
  });
});

describe("LiSSA", () => {
  it("sums to the damped inverse", async () => {
    const { operator } = withSpectrum([2, 1.5, 0.7, 0.4]);
    const right = normalVector(KEY, 4);
    const { solution, changes } = await lissa(operator.apply, right, {
      damping: 0.3,
      scale: 3,
      iterations: 300,
    });
    const exact = await conjugateGradient(operator, right, {
      damping: 0.3,
      tolerance: 1e-12,
      maxIterations: 20,
    });
    const difference = solution.slice();
    addScaled(difference, exact.solution, -1);
    expect(norm(difference) / norm(exact.solution)).toBeLessThan(1e-6);
    expect(changes).toHaveLength(300);
    expect(changes.at(-1)).toBeLessThan(1e-6);
  });

  it("finds the mean's inverse from noisy draws", async () => {
    const { operator } = withSpectrum([2, 1]);
    const right = Float64Array.of(1, -1);
    const noisy = async (vector: Float64Array, draw: number) => {
      const image = await operator.apply(vector);
      addScaled(image, vector, draw % 2 === 0 ? 0.2 : -0.2);
      return image;
    };
    const { solution } = await lissa(noisy, right, { damping: 0, scale: 20, iterations: 600 });
    const exact = await conjugateGradient(operator, right, { tolerance: 1e-12, maxIterations: 5 });
    const difference = solution.slice();
    addScaled(difference, exact.solution, -1);
    expect(norm(difference) / norm(exact.solution)).toBeLessThan(0.05);
  });

  it("is told to have diverged where the scale is too small, and refuses a scale of none", async () => {
    const { operator } = withSpectrum([50, 1]);
    const right = Float64Array.of(1, 1);
    await expect(
      lissa(operator.apply, right, { damping: 0, scale: 5, iterations: 100 }),
    ).rejects.toMatchObject({ code: "LETHE_NUMERIC_DIVERGED", kind: "numeric", details: { scale: 5 } });
    await expect(lissa(operator.apply, right, { damping: 0, scale: 0, iterations: 1 })).rejects.toMatchObject(
      { code: "LETHE_USAGE_LISSA" },
    );
  });
});

describe("Lanczos' method", () => {
  it("finds the largest eigenvalues and their vectors", async () => {
    const spectrum = Array.from({ length: 40 }, (_, i) => 10 * 0.8 ** i - 1);
    const { operator, basis } = withSpectrum(spectrum);
    const { values, vectors, residuals } = await lanczos(operator, {
      count: 4,
      maxIterations: 40,
      tolerance: 1e-9,
      key: KEY,
    });
    values.forEach((value, index) => {
      expect(value).toBeCloseTo(spectrum[index] as number, 7);
      const vector = vectors[index] as Float64Array;
      const exact = Float64Array.from({ length: 40 }, (_, row) => basis[row * 40 + index] as number);
      expect(Math.abs(dot(vector, exact))).toBeCloseTo(1, 6);
      expect(residuals[index]).toBeLessThan(1e-8 * 10);
    });
  });

  it("stops when the operator's image is exhausted, with fewer pairs than were asked for", async () => {
    const { operator } = withSpectrum([5, 5, 5, 5]);
    const found = await lanczos(operator, { count: 3, maxIterations: 4, tolerance: 1e-9, key: KEY });
    expect([...found.values].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([5]);
    expect(found.iterations).toBe(1);
  });

  it("refuses more pairs than products", async () => {
    const { operator } = withSpectrum([1, 2]);
    await expect(
      lanczos(operator, { count: 3, maxIterations: 9, tolerance: 1e-6, key: KEY }),
    ).rejects.toMatchObject({ code: "LETHE_USAGE_LANCZOS" });
  });
});

describe("random probes", () => {
  it("are signs, half of each kind, or normal numbers, the same for the same key", () => {
    const signs = signVector(KEY, 4000);
    expect(signs.every((sign) => Math.abs(sign) === 1)).toBe(true);
    // Four standard deviations of a fair coin.
    expect(Math.abs(signs.reduce((sum, sign) => sum + sign, 0))).toBeLessThan(4 * Math.sqrt(4000));
    expect(signVector(KEY, 4000)).toEqual(signs);
    expect(normalVector(KEY, 9)).toEqual(normalVector(KEY, 9));
    expect(normalVector(deriveKey(KEY, "other"), 9)).not.toEqual(normalVector(KEY, 9));
  });

  it("give a diagonal's trace exactly, and another's within its own error", async () => {
    const diagonal = matrixOperator(3, [1, 0, 0, 0, 2, 0, 0, 0, 4]);
    expect(await hutchinsonTrace(diagonal, { probes: 2, key: KEY })).toEqual({ trace: 7, standardError: 0 });
    const { operator } = withSpectrum([9, 4, 2, 1, 0.5]);
    const { trace, standardError } = await hutchinsonTrace(operator, { probes: 400, key: KEY });
    expect(standardError).toBeGreaterThan(0);
    expect(Math.abs(trace - 16.5)).toBeLessThan(4 * standardError);
  });
});
