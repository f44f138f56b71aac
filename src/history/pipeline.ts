import { fixedLength } from "./coding/fixed-length.ts";
import { type SymbolCoderId, symbolCoderByWireId, symbolCoders } from "./coding/index.ts";
import type { SymbolCoder } from "./coding/symbol-coder.ts";
import type { Quantiser } from "./quantisers/contract.ts";
import { type QuantiserId, quantiserByWireId, quantisers } from "./quantisers/index.ts";
import type { Rate } from "./rate-control.ts";
import type { RecordStages } from "./record.ts";

/** The choices that make a pipeline: rotate or predict → mask → quantise → code. */
export interface PipelineOptions {
  readonly quantiser: QuantiserId;
  readonly rate: Rate;
  /** `non-subtractive`: the dither stays in the decoded values, for readers that shall not need it. */
  readonly dither?: "subtractive" | "non-subtractive" | undefined;
  readonly coder?: SymbolCoderId | undefined;
  /** Whether updates may be turned to the principal axes of the client's earlier ones. */
  readonly rotation?: { readonly period: number } | undefined;
  /** Whether updates may be coded as their difference to the client's earlier ones. */
  readonly prediction?: { readonly period: number } | undefined;
}

/** The parts that a record is made with. */
export interface Pipeline {
  readonly quantiser: Quantiser;
  readonly coder: SymbolCoder;
  readonly isDitherShared: boolean;
  /** Bits a symbol of a fixed rate, 0 otherwise. */
  readonly fixedBits: number;
}

/**
 * Why parts do not fit together, in a sentence; undefined where they do.
 */
export function pipelineFault({
  quantiser: id,
  rate,
  dither,
  coder,
  rotation,
  prediction,
}: PipelineOptions): string | undefined {
  const quantiser: Quantiser = quantisers[id];
  const got = `got quantiser \`${id}\``;
  if (dither === "non-subtractive" && quantiser.isLattice !== true)
    return `Expected a lattice for non-subtractive dither, ${got}.`;
  if (coder !== undefined && coder !== "adaptive" && !quantiser.hasSymbols)
    return `Expected a quantiser that sends symbols for coder \`${coder}\`, ${got}.`;
  if ("fixedBits" in rate && !((quantiser.fixedReach?.(rate.fixedBits) ?? 0) > 0))
    return `Expected a dithered quantiser that can use ${rate.fixedBits} bits a symbol, ${got}: D4 and E8 need 3.`;
  if ("fixedBits" in rate && coder !== undefined && coder !== "adaptive")
    return `Expected no coder beside a fixed rate, got \`${coder}\`.`;
  if ("stepPerRms" in rate && quantiser.rateControl === "size")
    return `Expected a rate in bits a parameter, got a step, and ${got}.`;
  if (rotation !== undefined && quantiser.rateControl !== "step")
    return `Expected a quantiser with a step for a rotation, ${got}.`;
  if (prediction !== undefined && quantiser.rateControl !== "step")
    return `Expected a quantiser with a step for a prediction, ${got}.`;
  if (rotation !== undefined && prediction !== undefined)
    return "Expected a rotation or a prediction, got both.";
  return undefined;
}

/** The parts of a choice that {@link pipelineFault} finds no fault with. */
export function pipelineOf({ quantiser, rate, dither, coder }: PipelineOptions): Pipeline {
  const fixedBits = "fixedBits" in rate ? rate.fixedBits : 0;
  return {
    quantiser: quantisers[quantiser],
    coder: fixedBits > 0 ? fixedLength(fixedBits) : symbolCoders[coder ?? "adaptive"],
    isDitherShared: dither !== "non-subtractive",
    fixedBits,
  };
}

/** The parts that a record names, undefined where this version does not know them or they do not fit together. */
export function pipelineOfRecord({ stages }: { readonly stages: RecordStages }): Pipeline | undefined {
  const quantiser = quantiserByWireId(stages.quantiser);
  const coder = symbolCoderByWireId(stages.coder, stages.fixedBits);
  if (!quantiser || !coder) return undefined;
  const hasChoice = quantiser.hasSymbols || stages.coder === 0;
  const hasDitherChoice = quantiser.isLattice === true || stages.isDitherShared;
  const hasFixedRate = stages.fixedBits === 0 || (quantiser.fixedReach?.(stages.fixedBits) ?? 0) > 0;
  const canBeTransformed = stages.reference === undefined || quantiser.rateControl === "step";
  if (!hasChoice || !hasDitherChoice || !hasFixedRate || !canBeTransformed) return undefined;
  return { quantiser, coder, isDitherShared: stages.isDitherShared, fixedBits: stages.fixedBits };
}

/**
 * E(error²) of a coded parameter, where the quantiser's error does not depend on the values; undefined elsewhere. A
 * non-subtractive dither adds its own variance, on average over the values.
 */
export function errorVariance(record: {
  readonly stages: RecordStages;
  readonly step: number;
}): number | undefined {
  const pipeline = pipelineOfRecord(record);
  const share = pipeline?.quantiser.errorPerSquaredStep;
  if (share === undefined) return undefined;
  return share * record.step ** 2 * (pipeline?.isDitherShared ? 1 : 2);
}
