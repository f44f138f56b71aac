import type { Digest } from "../kernel/digest.ts";
import { LetheError } from "../kernel/errors.ts";
import { anyScope, defineMetric } from "./contract.ts";

/** What every digest of the kernel looks like. */
const FORM = /^sha256:[0-9a-f]{64}$/;

/**
 * Exactness: are the unlearned weights, bit by bit, those of a training without the forget set? Digests of both decide.
 *
 * @param unlearned - as `digestArrays` forms it
 * @param retrained - of a deterministic retraining
 * @throws LETHE_DATA_SHAPE for what is no digest: two empty texts are equal and prove nothing
 */
export function isExact(unlearned: Digest, retrained: Digest): boolean {
  for (const [name, digest] of Object.entries({ unlearned, retrained })) {
    if (FORM.test(digest)) continue;
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected \`sha256:\` and 64 hexadecimal digits for \`${name}\` in metric \`exactness\`, got ${digest.length} other characters.`,
    );
  }
  return unlearned === retrained;
}

/** Exactness. */
export const exactnessMetric = defineMetric({
  id: "exactness",
  title: "Bit-identical to a retraining",
  references: ["L. Bourtoule et al. 2021, arXiv 1912.03817"],
  scope: anyScope,
  needs: ["digests"],
  formula: "digest(w_U) = digest(w_R)",
  range: "true or false",
  direction: "higher",
  cost: "one deterministic retraining, or the replay that the method is",
  guarantee: "Equal digests: the model is the retrained one, and no attack on it can tell otherwise.",
  doesNotShow:
    "That duplicates of the forget set are gone from the data, or that normalisers, vocabularies and hyper-parameters were fitted without it.",
  compute: isExact,
});
