import { throwIfCancelled } from "../../../kernel/errors.ts";
import type { Progress } from "../../../kernel/events.ts";
import type { RequestWith } from "../contract.ts";
import { modelRecursion } from "../recursion.ts";
import { blockRecursion, projectDeviation } from "./block-recursion.ts";
import type { Block } from "./blocks.ts";
import { bufferRecursion } from "./buffers.ts";
import { decayOf } from "./decay.ts";
import type { LoggedDeviation } from "./deviation-log.ts";
import type { BasedBlock, Response } from "./response.ts";

/** What the leavers left in the model. */
export interface TransportedErrors {
  /** e_T for each scale asked for, in the layout's order. */
  readonly errors: readonly Float64Array[];
  /** The same without any decay: Σ_t d_t under plain averaging. */
  readonly plain: Float64Array;
}

/**
 * Carries every round's deviation to the end of training: parameters by their response, running statistics by their own
 * forgetting, dead elements undecayed. Buffers of unknown behaviour stay at zero error.
 *
 * @param responses - Λ of each block
 * @param scales - c of each wanted result, in γ = exp(−c·Λ)
 * @param coordinates - q; blocks live in q∘x
 */
export async function* transport(
  request: RequestWith<"history">,
  rounds: AsyncIterable<LoggedDeviation>,
  blocks: readonly BasedBlock[],
  responses: readonly Response[],
  scales: readonly number[],
  coordinates: Float32Array | undefined,
): Progress<TransportedErrors> {
  const { layout, layers, history, training, matrices, signal } = request;
  const plain = modelRecursion(layout, 1, training.server);
  const buffers = bufferRecursion(layers, training);
  const runs = blocks.map((based, b) =>
    scales.map((scale) => blockRecursion(based, decayOf(responses[b] as Response, scale), training.server)),
  );
  for await (const { round, deviation } of rounds) {
    throwIfCancelled(signal);
    plain.advance(deviation);
    buffers?.advance(deviation && Float32Array.from(buffers.index, (i) => deviation[i] as number));
    for (const [b, based] of blocks.entries()) {
      const part = deviation && gather(based.block, deviation, coordinates);
      const projected = part && (await projectDeviation(based, part, matrices));
      for (const run of runs[b] ?? []) run.advance(projected);
    }
    yield { type: "step", step: round + 1, of: history.rounds, scalars: {} };
  }

  const errors: Float64Array[] = [];
  for (const s of scales.keys()) {
    const error = plain.error.slice().fill(0, layout.parameterLength);
    if (buffers !== undefined) scatter(error, buffers.index, buffers.error, undefined);
    for (const [b, { block }] of blocks.entries()) {
      const part = await runs[b]?.[s]?.error(matrices);
      if (part !== undefined) scatter(error, block.index, part, coordinates);
    }
    errors.push(error);
  }
  return { errors, plain: plain.error };
}

function gather({ index }: Block, vector: Float32Array, coordinates: Float32Array | undefined): Float32Array {
  const out = new Float32Array(index.length);
  for (let at = 0; at < index.length; at++) {
    const i = index[at] as number;
    out[at] = (vector[i] as number) * (coordinates?.[i] ?? 1);
  }
  return out;
}

function scatter(
  into: Float64Array,
  index: Uint32Array,
  values: ArrayLike<number>,
  coordinates: Float32Array | undefined,
): void {
  for (let at = 0; at < index.length; at++) {
    const i = index[at] as number;
    into[i] = (values[at] as number) / (coordinates?.[i] ?? 1);
  }
}
