import { adaptive } from "./adaptive.ts";
import { firstAdaptive } from "./first-adaptive.ts";
import { fixedLength } from "./fixed-length.ts";
import { rans } from "./rans.ts";
import type { SymbolCoder } from "./symbol-coder.ts";

/** Every coder with statistics that records are written with, by its id; the place to register a new one. */
export const symbolCoders = { adaptive, rans } as const satisfies Record<string, SymbolCoder>;
/** Coders of older records. */
const FORMER: readonly SymbolCoder[] = [firstAdaptive];

/** The permanent name of a coder. */
export type SymbolCoderId = keyof typeof symbolCoders;

/** Number of the coder without statistics, in records. */
const FIXED = 2;

/**
 * The coder of a record, undefined for a number that this version does not know.
 *
 * @param fixedBits - bits a symbol of the coder without statistics; 0 for all others
 */
export function symbolCoderByWireId(wireId: number, fixedBits: number): SymbolCoder | undefined {
  if (wireId === FIXED) return fixedBits > 0 ? fixedLength(fixedBits) : undefined;
  if (fixedBits !== 0) return undefined;
  return [...Object.values<SymbolCoder>(symbolCoders), ...FORMER].find((coder) => coder.wireId === wireId);
}
