import { LetheError } from "../kernel/errors.ts";
import { anyScope, defineMetric } from "./contract.ts";
import { expectAtLeast, expectFinite, expectSameLength } from "./metric-input.ts";

/** Outputs of one layer for some samples. */
export interface Features {
  /** [samples, width], row-major */
  readonly values: Float32Array | Float64Array;
  readonly width: number;
}

/**
 * Linear centred kernel alignment of two representations of the same samples, CKA = ‖XᵀY‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F) with
 * column-centred X, Y: 1 for equal up to rotation and scale, which parameter distance cannot see through.
 *
 * @param a - at least two samples
 * @param b - the same samples
 * @returns in [0, 1]; `undefined` when a representation does not vary (a dead layer)
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE
 * @see S. Kornblith et al. 2019, arXiv 1905.00414. O(samples·widthA·widthB), or O(samples²·width) where that is less
 */
export function linearCka(a: Features, b: Features): number | undefined {
  const [x, y] = [centred(a), centred(b)];
  const samples = a.values.length / a.width;
  expectSameLength("cka", {
    "samples of a": { length: samples },
    "samples of b": { length: b.values.length / b.width },
  });
  expectAtLeast("cka", "samples", samples, 2);
  const product = (p: Features, q: Features): number =>
    samples < Math.min(p.width, q.width) ? gramProduct(p, q, samples) : crossProduct(p, q, samples);
  const scale = Math.sqrt(product(x, x) * product(y, y));
  return scale === 0 ? undefined : Math.min(1, product(x, y) / scale);
}

/**
 * CKA layer by layer: where in the network an unlearned model still computes what the original did.
 *
 * @param a - layers by name
 * @param b - the same layers of another model
 * @throws LETHE_DATA_SHAPE when the layers differ, and what {@link linearCka} throws
 */
export function layerSimilarity(
  a: Readonly<Record<string, Features>>,
  b: Readonly<Record<string, Features>>,
): Readonly<Record<string, number | undefined>> {
  const missing = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (layer) => !(layer in a && layer in b),
  );
  if (missing.length > 0) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected the same layers of both models in metric \`cka\`, got only one model's ${missing.join(", ")}.`,
    );
  }
  return Object.fromEntries(
    Object.entries(a).map(([layer, features]) => [layer, linearCka(features, b[layer] as Features)]),
  );
}

function centred({ values, width }: Features): Features {
  if (!Number.isInteger(width) || width < 1 || values.length % width !== 0) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected whole rows of features in metric \`cka\`, got ${values.length} numbers for a width of ${width}.`,
    );
  }
  expectFinite("cka", "features", values);
  const rows = values.length / width;
  const out = Float64Array.from(values);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    for (let at = column; at < out.length; at += width) sum += out[at] as number;
    for (let at = column; at < out.length; at += width) (out[at] as number) -= sum / rows;
  }
  return { values: out, width };
}

/** ‖PᵀQ‖²_F by its entries. */
function crossProduct(p: Features, q: Features, samples: number): number {
  let total = 0;
  const line = new Float64Array(q.width);
  for (let i = 0; i < p.width; i++) {
    line.fill(0);
    for (let row = 0; row < samples; row++) {
      const factor = p.values[row * p.width + i] as number;
      const start = row * q.width;
      for (let j = 0; j < q.width; j++) (line[j] as number) += factor * (q.values[start + j] as number);
    }
    for (let j = 0; j < q.width; j++) total += (line[j] as number) ** 2;
  }
  return total;
}

/** The same as ⟨PPᵀ, QQᵀ⟩: cheaper with fewer samples than features. */
function gramProduct(p: Features, q: Features, samples: number): number {
  const dot = ({ values, width }: Features, i: number, j: number): number => {
    let sum = 0;
    for (let k = 0; k < width; k++)
      sum += (values[i * width + k] as number) * (values[j * width + k] as number);
    return sum;
  };
  let total = 0;
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j <= i; j++) total += (i === j ? 1 : 2) * dot(p, i, j) * dot(q, i, j);
  }
  return total;
}

/** CKA layer by layer. */
export const ckaMetric = defineMetric({
  id: "cka",
  title: "Likeness of features to a retrained model's, layer by layer (linear CKA)",
  references: ["S. Kornblith et al. 2019, arXiv 1905.00414"],
  scope: anyScope,
  needs: ["forget", "features", "original", "several-retrained"],
  formula: "‖XᵀY‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F), X and Y the centred features of one layer",
  range: "0 to 1; two retrained models against each other set the ceiling",
  direction: "higher",
  cost: "one forward pass of each model that gives every layer's output",
  guarantee:
    "A layer nearer to the original than to the retrained models still computes what it did before unlearning.",
  doesNotShow:
    "Small directions: CKA is dominated by the largest variances, in which one person's data hardly figure.",
  compute: layerSimilarity,
});
