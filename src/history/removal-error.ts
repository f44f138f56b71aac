import { LetheError } from "../kernel/errors.ts";
import { packHalfBlocks } from "./half-blocks.ts";
import { unpackMean } from "./running-mean.ts";

/** Name of a client's sum of {@link removalTerms} among its auxiliary vectors: no caller's name begins so. */
export const REMOVAL_ERROR = "lethe:removal-error";

/** A client's part of a round. */
interface Part {
  readonly client: string;
  readonly weight: number;
  readonly update: Float32Array;
}

/**
 * What a client's leaving alone would have changed in each client's round: d = h̄ − g with g the mean without it,
 *
 *   d_u = p_u / (1 − p_u) · (h_u − h̄),   and h_u where nobody else took part.
 *
 * @param parts - all who took part, with their uncoded updates
 * @returns writes d of the client at a position into an array
 */
export function removalTerms(parts: readonly Part[]): (at: number, out: Float32Array) => void {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const length = parts[0]?.update.length ?? 0;
  const mean = new Float64Array(length);
  for (const { weight, update } of parts) {
    for (let i = 0; i < length; i++) mean[i] = (mean[i] as number) + (weight / total) * (update[i] as number);
  }
  return (at, out) => {
    const { weight, update } = parts[at] as Part;
    if (parts.length === 1) {
      out.set(update);
      return;
    }
    const factor = weight / (total - weight);
    for (let i = 0; i < length; i++) out[i] = factor * ((update[i] as number) - (mean[i] as number));
  };
}

/**
 * Carries a client's error one round on: e ← (1 + α)·e + d, kept in half precision with a scale per 256 numbers.
 *
 * @param error - bytes of e, undefined before the client's first round
 * @param term - d; undefined for a round without the client, which decays all the same
 */
export function advanceError(
  error: Uint8Array | undefined,
  alpha: number,
  term: Float32Array | undefined,
): Uint8Array {
  const next = error ? unpackMean(error, term?.length) : new Float32Array(term?.length ?? 0);
  for (let i = 0; i < next.length; i++) next[i] = (1 + alpha) * (next[i] as number) + (term?.[i] ?? 0);
  if (next.every(Number.isFinite)) return packHalfBlocks(next);
  throw new LetheError(
    "numeric",
    "NUMERIC_UPDATE",
    "Expected finite sums of updates, got NaN or an infinity.",
  );
}

/**
 * The error of a set of clients from the errors of each alone. In a round, with p_F the set's share,
 *
 *   d_F = Σ_{u∈F} (1 − p_u)/(1 − p_F) · d_u,
 *
 * so sums over rounds suffice where those factors are the same in all rounds.
 *
 * @param rounds - shares of those who took part in each round, adding up to 1
 * @returns a factor for each leaver
 * @throws LETHE_USAGE_MODE where the factors change from round to round
 */
export function leaverFactors(
  rounds: Iterable<ReadonlyMap<string, number>>,
  leavers: readonly string[],
): ReadonlyMap<string, number> {
  const factors = new Map<string, number>();
  for (const shares of rounds) {
    const present = leavers.filter((leaver) => shares.has(leaver));
    const together = present.reduce((sum, leaver) => sum + (shares.get(leaver) ?? 0), 0);
    for (const leaver of present) {
      const factor = present.length === 1 ? 1 : (1 - (shares.get(leaver) ?? 0)) / (1 - together);
      const known = factors.get(leaver);
      if (Number.isFinite(factor) && (known === undefined || Math.abs(factor - known) <= 1e-9 * known)) {
        factors.set(leaver, factor);
        continue;
      }
      throw new LetheError(
        "usage",
        "USAGE_MODE",
        `Expected clients to forget together whose shares are the same in all rounds, got ${leavers.join(", ")}: the sums of ` +
          "this history know each client alone. Forget one client, or train with --history-mode full.",
        { details: { leavers: [...leavers] } },
      );
    }
  }
  return factors;
}
