import { LetheError } from "../kernel/errors.ts";
import type { Kernel } from "./fast/kernel.ts";
import { measure } from "./measure.ts";
import type { Quantiser } from "./quantisers/contract.ts";
import {
  type CodedAtSize,
  codeAtSize,
  fixedRateStep,
  type Rate,
  SMALLEST_STEP,
  typicalStep,
} from "./rate-control.ts";
import type { RecordIdentity } from "./record.ts";

/** Values beyond this many steps are refused: single precision has no more digits to give. */
const LARGEST_INDEX = 2 ** 23;

/** What a rate is to be reached for. */
export interface RateTask {
  readonly quantiser: Quantiser;
  readonly rate: Rate;
  /** Bytes that `bitsPerParameter` leaves for the body. */
  readonly targetBytes: number;
  /** Step and root mean square of the same client's previous record: the search starts from them. */
  readonly previous?: { readonly step: number; readonly rms: number } | undefined;
  readonly identity: RecordIdentity;
  /** Of the workspace. */
  readonly kernel: Kernel | undefined;
}

/**
 * Codes values at the rate that was asked for, in the way their quantiser is steered.
 *
 * @param prepare - the quantiser's, with everything but the values given
 * @returns body and step, and the root mean square of the values
 * @throws LETHE_NUMERIC_STEP_TOO_FINE when the rate asks for more digits than single precision has
 */
export function codeAtRate(
  values: Float32Array,
  prepare: (values: Float32Array) => (setting: number) => Uint8Array,
  { quantiser, rate, targetBytes, previous, identity, kernel }: RateTask,
): CodedAtSize & { readonly rms: number } {
  const { squares, largest } = measure(values, kernel);
  const rms = Math.sqrt(squares / Math.max(values.length, 1));
  const once = (step: number, bytes: Uint8Array) => ({ step, bytes, passes: 1, rms });
  if (quantiser.rateControl === "none") return once(0, prepare(values)(0));
  if ("fixedBits" in rate) {
    const { step, limit } = fixedRateStep(rms, quantiser.fixedReach?.(rate.fixedBits) ?? 0);
    return once(step, prepare(clipped(values, limit))(step));
  }
  const code = prepare(values);
  if (quantiser.rateControl === "size") return once(0, code(targetBytes));
  if (largest === 0) return once(1, code(1));
  const checkedCode = (step: number): Uint8Array => {
    if (largest > step * LARGEST_INDEX) throw tooFine(step, largest, identity);
    return code(step);
  };
  if ("stepPerRms" in rate) {
    const step = Math.max(Math.fround(rms * rate.stepPerRms), SMALLEST_STEP);
    return once(step, checkedCode(step));
  }
  const start = firstStep(previous, rms, rate.bitsPerParameter);
  return { ...codeAtSize(checkedCode, targetBytes, values.length, start, largest), rms };
}

/** The last step scaled as the updates were, or without one what is typical. */
function firstStep(previous: RateTask["previous"], rms: number, bitsPerParameter: number): number {
  if (!previous || previous.step === 0 || previous.rms === 0) return typicalStep(rms, bitsPerParameter);
  return previous.step * (rms / previous.rms);
}

/** Values brought into ±`limit`: the overload of a fixed rate. */
function clipped(values: Float32Array, limit: number): Float32Array {
  return values.map((value) => Math.max(-limit, Math.min(limit, value)));
}

function tooFine(step: number, largest: number, { round, client }: RecordIdentity): LetheError {
  return new LetheError(
    "numeric",
    "NUMERIC_STEP_TOO_FINE",
    `Expected values of at most 2^23 steps in the update of client "${client}" in round ${round}, got ${largest} with ` +
      `a step of ${step}. Ask for fewer bits, or use the quantiser \`none\`.`,
    { details: { round, client, step, largest } },
  );
}
