// Written by tools/generate.ts from the comparisons in bench/results: not to be edited.
import type { Scope } from "../methods/contract.ts";

/** What a method did in one committed comparison, the mean over its seeds. */
export interface MeasuredMethod {
  readonly method: string;
  readonly scope: Scope;
  /** Mean distance of UA, RA, TA and MIA to the retrained model's. */
  readonly gap: number;
  /** Sample gradients, as a share of retraining. */
  readonly gradientShare: number;
}

/** What the planner knows of methods. */
export const MEASURED_METHODS: readonly MeasuredMethod[] = [
  { method: "retrain", scope: "class", gap: 0.0143, gradientShare: 1 },
  { method: "do-nothing", scope: "class", gap: 0.2532, gradientShare: 0 },
  { method: "random-noise", scope: "class", gap: 0.2574, gradientShare: 0 },
  { method: "camu", scope: "class", gap: 0.0338, gradientShare: 0.481 },
  { method: "l1-sparse", scope: "class", gap: 0.1285, gradientShare: 0.1333 },
  { method: "loft", scope: "class", gap: 0.0211, gradientShare: 0 },
  { method: "ltu", scope: "class", gap: 0.165, gradientShare: 0.824 },
  { method: "miu", scope: "class", gap: 0.1018, gradientShare: 1.0531 },
  { method: "mu-mis", scope: "class", gap: 0.0216, gradientShare: 0.1395 },
  { method: "natmu", scope: "class", gap: 0.0514, gradientShare: 0.1935 },
  { method: "perturbed-sign", scope: "class", gap: 0.0216, gradientShare: 0.0752 },
  { method: "pgu", scope: "class", gap: 0.052, gradientShare: 0.0902 },
  { method: "prune-first", scope: "class", gap: 0.229, gradientShare: 0.0667 },
  { method: "reweight", scope: "class", gap: 0.2321, gradientShare: 0.0667 },
  { method: "scrub", scope: "class", gap: 0.1544, gradientShare: 0.1197 },
  { method: "scrub-r", scope: "class", gap: 0.1469, gradientShare: 0.1197 },
  { method: "bad-teacher", scope: "class", gap: 0.1701, gradientShare: 0.0742 },
  { method: "boundary-expand", scope: "class", gap: 0.0376, gradientShare: 0.0752 },
  { method: "boundary-shrink", scope: "class", gap: 0.2141, gradientShare: 0.0827 },
  { method: "cf-k", scope: "class", gap: 0.1641, gradientShare: 0.2 },
  { method: "delete", scope: "class", gap: 0.0151, gradientShare: 0.0752 },
  { method: "eu-k", scope: "class", gap: 0.0142, gradientShare: 0.2 },
  { method: "fine-tune", scope: "class", gap: 0.0676, gradientShare: 0.0667 },
  { method: "fisher-forgetting", scope: "class", gap: 0.0177, gradientShare: 0.6667 },
  { method: "gradient-ascent", scope: "class", gap: 0.061, gradientShare: 0.0376 },
  { method: "influence", scope: "class", gap: 0.101, gradientShare: 0.1316 },
  { method: "neg-grad-plus", scope: "class", gap: 0.2149, gradientShare: 0.1364 },
  { method: "random-labels", scope: "class", gap: 0.0215, gradientShare: 0.0742 },
  { method: "salun", scope: "class", gap: 0.0193, gradientShare: 0.0817 },
  { method: "selective-synaptic-dampening", scope: "class", gap: 0.0138, gradientShare: 0.0075 },
  { method: "retrain", scope: "subject", gap: 0.0065, gradientShare: 1 },
  { method: "do-nothing", scope: "subject", gap: 0.0246, gradientShare: 0 },
  { method: "random-noise", scope: "subject", gap: 0.0242, gradientShare: 0 },
  { method: "camu", scope: "subject", gap: 0.0296, gradientShare: 0.2701 },
  { method: "l1-sparse", scope: "subject", gap: 0.0169, gradientShare: 0.25 },
  { method: "loft", scope: "subject", gap: 0.0249, gradientShare: 0 },
  { method: "ltu", scope: "subject", gap: 0.0246, gradientShare: 0.0179 },
  { method: "miu", scope: "subject", gap: 0.0086, gradientShare: 1.4354 },
  { method: "mu-mis", scope: "subject", gap: 0.0247, gradientShare: 0.0101 },
  { method: "natmu", scope: "subject", gap: 0.0795, gradientShare: 0.2534 },
  { method: "perturbed-sign", scope: "subject", gap: 0.0235, gradientShare: 0.0169 },
  { method: "pgu", scope: "subject", gap: 0.0433, gradientShare: 0.0101 },
  { method: "prune-first", scope: "subject", gap: 0.0192, gradientShare: 0.125 },
  { method: "reweight", scope: "subject", gap: 0.0246, gradientShare: 0.1267 },
  { method: "scrub", scope: "subject", gap: 0.0247, gradientShare: 0.1934 },
  { method: "scrub-r", scope: "subject", gap: 0.0238, gradientShare: 0.1934 },
  { method: "bad-teacher", scope: "subject", gap: 0.0409, gradientShare: 0.1267 },
  { method: "boundary-expand", scope: "subject", gap: 0.022, gradientShare: 0.0169 },
  { method: "boundary-shrink", scope: "subject", gap: 0.0233, gradientShare: 0.0186 },
  { method: "cf-k", scope: "subject", gap: 0.0252, gradientShare: 0.375 },
  { method: "delete", scope: "subject", gap: 0.0233, gradientShare: 0.0169 },
  { method: "eu-k", scope: "subject", gap: 0.0251, gradientShare: 0.375 },
  { method: "fine-tune", scope: "subject", gap: 0.0229, gradientShare: 0.125 },
  { method: "fisher-forgetting", scope: "subject", gap: 0.0226, gradientShare: 0.1164 },
  { method: "gradient-ascent", scope: "subject", gap: 0.0245, gradientShare: 0.0084 },
  { method: "influence", scope: "subject", gap: 0.0205, gradientShare: 0.1558 },
  { method: "neg-grad-plus", scope: "subject", gap: 0.0215, gradientShare: 0.2398 },
  { method: "random-labels", scope: "subject", gap: 0.0063, gradientShare: 0.1267 },
  { method: "salun", scope: "subject", gap: 0.0064, gradientShare: 0.1284 },
  { method: "selective-synaptic-dampening", scope: "subject", gap: 0.0161, gradientShare: 0.0017 },
];
