import { LetheError } from "../../kernel/errors.ts";
import { type Key, randomStream } from "../../kernel/key.ts";

/**
 * How much a retain sample of each group has to weigh so that the groups weigh what they did before the request:
 * w_g = n_train[g] / n_retain[g], with n_train = n_forget + n_retain.
 *
 * @param groups - how many there are
 * @param forgetGroups - the group of every forget sample, in 0 … groups − 1
 * @param retainGroups - of every retain sample
 * @returns w_g, infinite where nothing of a group is retained, and how many such groups there are
 * @see T. De Min et al. 2025, arXiv 2503.09330 (REWEIGHT)
 */
export function groupWeights(
  groups: number,
  forgetGroups: Int32Array,
  retainGroups: Int32Array,
): { readonly weights: readonly number[]; readonly gone: number } {
  const [forgotten, retained] = [forgetGroups, retainGroups].map((members) => {
    const counts = new Array<number>(groups).fill(0);
    for (const group of members) counts[group] = (counts[group] as number) + 1;
    return counts;
  }) as [number[], number[]];
  const weights = retained.map((count, group) => (count + (forgotten[group] as number)) / count);
  return { weights, gone: retained.filter((count) => count === 0).length };
}

/**
 * As many positions as there are samples, drawn with replacement, each with probability proportional to its group's weight.
 *
 * @param members - the group of every sample
 * @param weights - by group, finite and positive for every group that has samples
 * @throws LETHE_INTERNAL_WEIGHTS
 */
export function drawByGroup(members: Int32Array, weights: readonly number[], key: Key): Uint32Array {
  const cumulative = new Float64Array(members.length);
  let sum = 0;
  members.forEach((group, position) => {
    sum += weights[group] as number;
    cumulative[position] = sum;
  });
  if (!Number.isFinite(sum) || sum <= 0) {
    throw new LetheError(
      "internal",
      "INTERNAL_WEIGHTS",
      `Expected finite weights of groups, got a sum of ${sum}.`,
    );
  }
  const stream = randomStream(key);
  return Uint32Array.from({ length: members.length }, () => firstAbove(cumulative, stream.uniform() * sum));
}

/**
 * Every position as often as its group weighs: ⌊w_g⌋ times, and once more for as many of the group, chosen by the key, as make up the
 * rest. The groups' shares are those of {@link drawByGroup} without its chance, and no sample is left out: of n draws with
 * replacement out of n samples, a third never comes up.
 *
 * @param weights - by group, finite and at least 1 for every group that has samples
 * @returns positions in ascending order, Σ w_g over the samples up to rounding
 */
export function repeatByGroup(members: Int32Array, weights: readonly number[], key: Key): Uint32Array {
  const stream = randomStream(key);
  const times = new Uint32Array(members.length);
  weights.forEach((weight, group) => {
    const own = Array.from(members.keys()).filter((position) => members[position] === group);
    if (own.length === 0) return;
    const whole = Math.floor(weight);
    for (const position of own) times[position] = whole;
    const more = Math.round((weight - whole) * own.length);
    for (const at of stream.permutation(own.length).subarray(0, more)) {
      const position = own[at] as number;
      times[position] = whole + 1;
    }
  });
  return Uint32Array.from([...times].flatMap((count, position) => new Array<number>(count).fill(position)));
}

/** The first position whose cumulative weight is above a value. */
function firstAbove(cumulative: Float64Array, value: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
