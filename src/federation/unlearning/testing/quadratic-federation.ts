import { keyFromSeed, type RandomStream, randomStream } from "../../../kernel/key.ts";
import type { ModelLayout } from "../../../kernel/layout.ts";
import type { LayerLayout } from "../../../models/layers.ts";
import { orthonormalColumns } from "../../../runtime/linear-algebra/orthonormal.ts";
import type { RequestWith } from "../contract.ts";
import { type Block, blocksOf } from "../kronecker/blocks.ts";
import { runningStatistics } from "../kronecker/buffers.ts";
import { responseScale } from "../kronecker/response-scale.ts";
import type { TrainingFacts } from "../training-facts.ts";
import { recordedHistory, type WrittenRound } from "./recorded-history.ts";
import { client, PLAIN_TRAINING, requestFor } from "./request.ts";

/** A federation on quadratic losses, its history, and the model the kept clients alone would have reached. */
export interface QuadraticFederation {
  readonly request: RequestWith<"history">;
  readonly retrained: Float64Array;
  readonly trained: Float64Array;
  readonly rounds: readonly WrittenRound[];
}

/** What kept clients' running statistics tend to; far from zero, where variances meet their floor. */
const STATISTIC = 10;

/** θ the federation's covariance is made for. */
export const QUADRATIC_THETA = 3;

/**
 * Kept clients answer a deviation e of the model by −(1 − γ)∘e in the coordinates of each block, and differ from each
 * other by noise whose covariance is exactly −ln(γ)/c there: what the theory of the Kronecker response says of real
 * clients, made exact. Two kept clients share each round unevenly; two leavers send what they like, now and then.
 *
 * @param coordinates - q, when clients train in q∘x (Adam)
 */
export function quadraticFederation(
  model: { readonly layout: ModelLayout; readonly layers: readonly LayerLayout[] },
  options: { readonly seed: number; readonly rounds: number; readonly coordinates?: Float32Array } & {
    readonly training?: Partial<TrainingFacts>;
  },
): QuadraticFederation {
  const { layout, layers } = model;
  const training = { ...PLAIN_TRAINING, ...options.training };
  const stream = randomStream(keyFromSeed(options.seed));
  const scale = responseScale(training, QUADRATIC_THETA);
  const blocks = blocksOf(layout, layers).map((block) => modesOf(block, stream));
  const running = runningStatistics(layers);
  const bufferLoss = 1 - (1 - (training.batchNormMomentum ?? 0)) ** training.localSteps;
  const q = (i: number): number => options.coordinates?.[i] ?? 1;
  // The recorded shares: 0.3 and 0.45 of the kept clients, 0.15 and 0.1 of the leavers.
  const [p1, p2] = [0.4, 0.6];
  const divisor = options.rounds * (1 - p1 * p1 - p2 * p2);

  /** The mean answer of kept clients at x: parameters towards zero, mode by mode. */
  const answer = (x: Float64Array): Float64Array => {
    const out = new Float64Array(layout.length);
    for (const { block, modes } of blocks) {
      for (const { pattern, decay } of modes) {
        const amount = block.index.reduce(
          (sum, i, at) => sum + (x[i] as number) * (pattern[at] as number),
          0,
        );
        for (const [at, i] of block.index.entries()) {
          out[i] = (out[i] as number) - (1 - decay) * amount * (pattern[at] as number);
        }
      }
    }
    for (const i of running) out[i] = bufferLoss * (STATISTIC - (x[i] as number));
    return out;
  };
  /** The noise of round t: one mode of each block at a time, with the variance −ln(γ)/c over all rounds. */
  const noise = (t: number): Float64Array => {
    const out = new Float64Array(layout.length);
    for (const { block, modes } of blocks) {
      const mode = modes[t % modes.length] as Mode;
      const turns = Math.floor((options.rounds - 1 - (t % modes.length)) / modes.length) + 1;
      const amount = Math.sqrt(((-Math.log(mode.decay) / scale) * divisor) / turns);
      for (const [at, i] of block.index.entries()) out[i] = amount * (mode.pattern[at] as number);
    }
    return out;
  };

  const rounds: WrittenRound[] = [];
  const start = Float64Array.from({ length: layout.length }, () => stream.normal());
  start.fill(STATISTIC, layout.parameterLength);
  const trained = server(layout, start, training);
  const retrained = server(layout, start, training);
  for (let t = 0; t < options.rounds; t++) {
    const xi = noise(t);
    const leaving = [0, 1].filter(() => t === 0 || stream.uniform() < 0.7);
    const shares = leaving.map((i) => (i === 0 ? 0.15 : 0.1));
    const keptShare = 1 - shares.reduce((sum, share) => sum + share, 0);
    const base = answer(trained.x);
    const sent = [
      ...leaving.map((i, at) => ({
        client: client(i),
        weight: shares[at] as number,
        x: start.map(() => 0.1 * stream.normal()),
      })),
      // Means cancel and variances add up to that of the noise: p1 ξ₁ + p2 ξ₂ = 0, p1 ξ₁² + p2 ξ₂² = ξ².
      {
        client: client(2),
        weight: keptShare * p1,
        x: base.map((b, i) => b + Math.sqrt(p2 / p1) * (xi[i] as number)),
      },
      {
        client: client(3),
        weight: keptShare * p2,
        x: base.map((b, i) => b - Math.sqrt(p1 / p2) * (xi[i] as number)),
      },
    ];
    rounds.push({
      participants: sent.map(({ client, weight, x }) => ({
        client,
        weight,
        update: Float32Array.from(x, (value, i) => value / q(i)),
      })),
    });
    trained.step(base.map((_, i) => sent.reduce((sum, { weight, x }) => sum + weight * (x[i] as number), 0)));
    retrained.step(answer(retrained.x));
  }
  const toWeights = (x: Float64Array): Float64Array => x.map((value, i) => value / q(i));
  return {
    request: requestFor(model, recordedHistory(rounds), {
      finalWeights: Float32Array.from(toWeights(trained.x)),
      training,
      leavers: [client(0), client(1)],
    }),
    retrained: toWeights(retrained.x),
    trained: toWeights(trained.x),
    rounds,
  };
}

interface Mode {
  readonly pattern: Float64Array;
  /** γ */
  readonly decay: number;
}

/** Random orthonormal modes u_i v_jᵀ of a block, each with a decay of its own; elements themselves for a diagonal. */
function modesOf(
  block: Block,
  stream: RandomStream,
): { readonly block: Block; readonly modes: readonly Mode[] } {
  const { rows, columns } = block;
  const u = block.kind === "diagonal" ? identity(rows) : randomBasis(rows, stream);
  const v = block.kind === "diagonal" ? identity(columns) : randomBasis(columns, stream);
  const modes: Mode[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const pattern = new Float64Array(rows * columns);
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          pattern[r * columns + c] = (u[r * rows + i] as number) * (v[c * columns + j] as number);
        }
      }
      // Row and column sums of the exponents differ, so that both eigenbases are determined.
      modes.push({ pattern, decay: Math.exp(-(0.02 + 0.1 * i + 0.15 * j + 0.05 * i * j)) });
    }
  }
  return { block, modes };
}

function server(layout: ModelLayout, start: Float64Array, { server }: TrainingFacts) {
  const x = start.slice();
  const velocity = new Float64Array(x.length);
  return {
    x,
    step(mean: Float64Array): void {
      for (let i = 0; i < x.length; i++) {
        const { momentum, rate } = i < layout.parameterLength ? server : { momentum: 0, rate: 1 };
        velocity[i] = momentum * (velocity[i] as number) + (mean[i] as number);
        x[i] = (x[i] as number) + rate * (velocity[i] as number);
      }
    },
  };
}

function randomBasis(size: number, stream: RandomStream): Float64Array {
  return orthonormalColumns(
    size,
    size,
    Float64Array.from({ length: size * size }, () => stream.normal()),
  );
}

function identity(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
}
