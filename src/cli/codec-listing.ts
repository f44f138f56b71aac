import { type SymbolCoderId, symbolCoders } from "../history/coding/index.ts";
import type { SymbolCoder } from "../history/coding/symbol-coder.ts";
import type { Quantiser } from "../history/quantisers/contract.ts";
import { type QuantiserId, quantisers } from "../history/quantisers/index.ts";

/** A quantiser as `lethe codecs` shows it. */
export interface CodecListing {
  readonly id: QuantiserId;
  readonly title: string;
  /** Whether E(x̂) = x over the random choices. */
  readonly isUnbiased: boolean;
  /** If not, why. */
  readonly bias: string | undefined;
  /** What may be set besides the history's own choices. */
  readonly parameters: readonly string[];
  readonly bitsRange: readonly [number, number];
  /** E(error²) in squared steps, where it does not depend on the values. */
  readonly errorPerSquaredStep: number | undefined;
  readonly source: string;
}

/** Every quantiser in the registry's order. */
export function listCodecs(): readonly CodecListing[] {
  const entries = Object.entries<Quantiser>(quantisers) as [QuantiserId, Quantiser][];
  return entries.map(([id, quantiser]) => ({
    id,
    title: quantiser.title,
    isUnbiased: quantiser.bias === undefined,
    bias: quantiser.bias,
    parameters: parametersOf(quantiser),
    bitsRange: quantiser.bitsRange,
    errorPerSquaredStep: quantiser.errorPerSquaredStep,
    source: quantiser.source,
  }));
}

/** Every coder that can follow a quantiser with symbols. */
export function listSymbolCoders(): readonly {
  readonly id: SymbolCoderId;
  readonly title: string;
  readonly source: string;
}[] {
  const entries = Object.entries<SymbolCoder>(symbolCoders) as [SymbolCoderId, SymbolCoder][];
  return entries.map(([id, { title, source }]) => ({ id, title, source }));
}

function parametersOf({ rateControl, fixedReach, isLattice, hasSymbols }: Quantiser): readonly string[] {
  return [
    ...(rateControl === "none" ? [] : ["BITS"]),
    ...(rateControl === "step" ? ["step"] : []),
    ...(fixedReach === undefined ? [] : ["fixed"]),
    ...(isLattice ? ["non-subtractive"] : []),
    ...(rateControl === "step" ? ["rotate", "predict"] : []),
    ...(hasSymbols ? ["coder"] : []),
  ];
}
