import { deriveKey, type Key, randomStream } from "../../../kernel/key.ts";
import { dominantBasis } from "../../../runtime/linear-algebra/dominant-basis.ts";
import type { Matrix, MatrixEngine } from "../../../runtime/linear-algebra/matrix-engine.ts";
import type { FactoredBlock } from "./factors.ts";

/** Synthetic inputs drawn: the share of agreement among them has a standard error of at most 0.011. */
const PROBES = 2000;
/** Directions of input variation drawn from. */
const RANK = 256;

/**
 * Inputs that resemble the clients' data in mean and covariance, without seeing any: the row factor L of the first layer
 * is nearly a second moment of its inputs. A = L/L_bb with b the bias row, μ = A_xb, C = A_xx − μμᵀ, inputs ~ N(μ, C)
 * limited to the input range; negative eigenvalues of C count as zero, dead rows stay at zero.
 *
 * @param first - the factored first layer
 * @returns [2000, features], or `undefined` when the layer has no live bias row to scale by
 */
export async function probeInputs(
  first: FactoredBlock,
  [low, high]: readonly [number, number],
  engine: MatrixEngine,
  key: Key,
): Promise<Float32Array | undefined> {
  const { live, whole } = first;
  const factor = first.factors?.rows;
  if (whole.biasRow === undefined || live?.biasRow === undefined || factor === undefined) return undefined;
  const moments = inputMoments(factor.matrix, live.biasRow);
  if (moments === undefined) return undefined;
  const { mean, covariance, scale } = moments;
  const basis = await dominantBasis(engine, covariance, {
    rank: RANK,
    slack: factor.slack / scale,
    key: deriveKey(key, "basis"),
  });
  const rank = basis.vectors.columns;
  const stream = randomStream(deriveKey(key, "draws"));
  const draws = Float32Array.from(
    { length: PROBES * rank },
    (_, at) => Math.sqrt(Math.max(0, basis.values[at % rank] as number)) * stream.normal(),
  );
  const spread = await engine.multiply({ rows: PROBES, columns: rank, data: draws }, basis.vectors, {
    transposeRight: true,
  });

  const features = whole.biasRow;
  const clip = (value: number): number => Math.min(high, Math.max(low, value));
  const inputs = new Float32Array(PROBES * features).fill(clip(0));
  const liveFeatures = factor.live.filter((row) => row !== whole.biasRow);
  for (let probe = 0; probe < PROBES; probe++) {
    for (const [i, feature] of liveFeatures.entries()) {
      const value = (mean[i] as number) + (spread.data[probe * liveFeatures.length + i] as number);
      inputs[probe * features + feature] = clip(value);
    }
  }
  return inputs;
}

/** Mean and covariance of the inputs, in the order of the live rows without the bias, which is the last of them. */
function inputMoments(
  factor: Matrix,
  biasRow: number,
): { readonly mean: Float64Array; readonly covariance: Matrix; readonly scale: number } | undefined {
  const { columns, data } = factor;
  const scale = data[biasRow * columns + biasRow] as number;
  if (!(scale > 0)) return undefined;
  const size = biasRow;
  const mean = Float64Array.from({ length: size }, (_, i) => (data[i * columns + biasRow] as number) / scale);
  const covariance = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      covariance[i * size + j] =
        (data[i * columns + j] as number) / scale - (mean[i] as number) * (mean[j] as number);
    }
  }
  return { mean, covariance: { rows: size, columns: size, data: covariance }, scale };
}
