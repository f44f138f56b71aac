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
  { method: "camu", scope: "class", gap: 0.2253, gradientShare: 0.0601 },
  { method: "l1-sparse", scope: "class", gap: 0.2088, gradientShare: 0.2 },
  { method: "loft", scope: "class", gap: 0.1199, gradientShare: 0 },
  { method: "ltu", scope: "class", gap: 0.1127, gradientShare: 0.3095 },
  { method: "miu", scope: "class", gap: 0.2828, gradientShare: 0.8115 },
  { method: "mu-mis", scope: "class", gap: 0.253, gradientShare: 0.0224 },
  { method: "natmu", scope: "class", gap: 0.0533, gradientShare: 0.1935 },
  { method: "perturbed-sign", scope: "class", gap: 0.1718, gradientShare: 0.1503 },
  { method: "pgu", scope: "class", gap: 0.2435, gradientShare: 0.3758 },
  { method: "prune-first", scope: "class", gap: 0.229, gradientShare: 0.0667 },
  { method: "reweight", scope: "class", gap: 0.2321, gradientShare: 0.0667 },
  { method: "scrub", scope: "class", gap: 0.2517, gradientShare: 0.215 },
  { method: "scrub-r", scope: "class", gap: 0.2498, gradientShare: 0.215 },
  { method: "bad-teacher", scope: "class", gap: 0.1935, gradientShare: 0.0551 },
  { method: "boundary-expand", scope: "class", gap: 0.093, gradientShare: 0.0752 },
  { method: "boundary-shrink", scope: "class", gap: 0.2421, gradientShare: 0.0827 },
  { method: "cf-k", scope: "class", gap: 0.1641, gradientShare: 0.2 },
  { method: "delete", scope: "class", gap: 0.0386, gradientShare: 0.0752 },
  { method: "eu-k", scope: "class", gap: 0.0142, gradientShare: 0.2 },
  { method: "fine-tune", scope: "class", gap: 0.2307, gradientShare: 0.0667 },
  { method: "fisher-forgetting", scope: "class", gap: 0.0177, gradientShare: 0.6667 },
  { method: "gradient-ascent", scope: "class", gap: 0.2524, gradientShare: 0.0376 },
  { method: "influence", scope: "class", gap: 0.1818, gradientShare: 0.1316 },
  { method: "neg-grad-plus", scope: "class", gap: 0.1576, gradientShare: 0.1364 },
  { method: "random-labels", scope: "class", gap: 0.0215, gradientShare: 0.0742 },
  { method: "salun", scope: "class", gap: 0.0193, gradientShare: 0.0817 },
  { method: "selective-synaptic-dampening", scope: "class", gap: 0.0138, gradientShare: 0.0075 },
];
