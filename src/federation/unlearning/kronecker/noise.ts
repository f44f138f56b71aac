import type { ModelLayout } from "../../../kernel/layout.ts";
import type { RoundDeviation } from "../deviations.ts";
import type { Block } from "./blocks.ts";

/** Collects what the quantiser's error adds to the kept clients' covariance. */
export interface NoiseMeter {
  add(round: RoundDeviation): void;
  /**
   * E(noise_i²) of each element of a block, [rows, columns], after division by the covariance's divisor; `undefined` for
   * exact records.
   */
  of(block: Block, divisor: number, coordinates: Float32Array | undefined): Float64Array | undefined;
}

/**
 * The error of h_t^u − g_t has variance σ_u²(1 − 2p̃_u) + Σ_v p̃_v²σ_v², so a round adds Σ_u p̃_u(1 − p̃_u)σ_u² to the
 * weighted sum of squares of each element: σ²·(1 − Σ p̃²) when all errors are alike.
 */
export function noiseMeter(layout: ModelLayout): NoiseMeter {
  const sums = new Float64Array(layout.slots.length);
  return {
    add({ kept }) {
      for (const { weight, errorVariance } of kept) {
        if (errorVariance === undefined) continue;
        for (let s = 0; s < sums.length; s++) {
          sums[s] = (sums[s] as number) + weight * (1 - weight) * (errorVariance[s] as number);
        }
      }
    },
    of({ index }, divisor, coordinates) {
      if (sums.every((sum) => sum === 0)) return undefined;
      const noise = new Float64Array(index.length);
      let slot = 0;
      for (const [at, i] of index.entries()) {
        slot = slotOf(layout, i, slot);
        const q = coordinates?.[i] ?? 1;
        noise[at] = ((sums[slot] as number) / divisor) * q * q;
      }
      return noise;
    },
  };
}

/** The slot an element lies in; neighbours mostly share one, so the last answer is tried first. */
function slotOf(layout: ModelLayout, element: number, guess: number): number {
  const holds = (slot: number): boolean => {
    const { offset, length } = layout.slots[slot] as ModelLayout["slots"][number];
    return element >= offset && element < offset + length;
  };
  return holds(guess) ? guess : layout.slots.findIndex((_, slot) => holds(slot));
}
