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
  { method: "do-nothing", scope: "class", gap: 0.25, gradientShare: 0 },
  { method: "random-noise", scope: "class", gap: 0.238, gradientShare: 0 },
  { method: "camu", scope: "class", gap: 0.2242, gradientShare: 0.0601 },
  { method: "l1-sparse", scope: "class", gap: 0.2076, gradientShare: 0.2 },
  { method: "loft", scope: "class", gap: 0.1219, gradientShare: 0 },
  { method: "ltu", scope: "class", gap: 0.086, gradientShare: 0.3095 },
  { method: "miu", scope: "class", gap: 0.0382, gradientShare: 1.0531 },
  { method: "mu-mis", scope: "class", gap: 0.2499, gradientShare: 0.0224 },
  { method: "natmu", scope: "class", gap: 0.3775, gradientShare: 0.1935 },
  { method: "perturbed-sign", scope: "class", gap: 0.1573, gradientShare: 0.1503 },
  { method: "pgu", scope: "class", gap: 0.0818, gradientShare: 0.3758 },
  { method: "prune-first", scope: "class", gap: 0.2288, gradientShare: 0.0667 },
  { method: "reweight", scope: "class", gap: 0.228, gradientShare: 0.0667 },
  { method: "scrub", scope: "class", gap: 0.2442, gradientShare: 0.215 },
  { method: "scrub-r", scope: "class", gap: 0.25, gradientShare: 0.215 },
  { method: "bad-teacher", scope: "class", gap: 0.1785, gradientShare: 0.0551 },
  { method: "boundary-expand", scope: "class", gap: 0.0796, gradientShare: 0.0752 },
  { method: "boundary-shrink", scope: "class", gap: 0.2283, gradientShare: 0.0827 },
  { method: "cf-k", scope: "class", gap: 0.1751, gradientShare: 0.2 },
  { method: "delete", scope: "class", gap: 0.0332, gradientShare: 0.0752 },
  { method: "eu-k", scope: "class", gap: 0.0145, gradientShare: 0.3333 },
  { method: "fine-tune", scope: "class", gap: 0.2272, gradientShare: 0.0667 },
  { method: "fisher-forgetting", scope: "class", gap: 0.0091, gradientShare: 0.6667 },
  { method: "gradient-ascent", scope: "class", gap: 0.2429, gradientShare: 0.0376 },
  { method: "influence", scope: "class", gap: 0.1567, gradientShare: 0.1316 },
  { method: "neg-grad-plus", scope: "class", gap: 0.1515, gradientShare: 0.1364 },
  { method: "random-labels", scope: "class", gap: 0.0219, gradientShare: 0.0742 },
  { method: "salun", scope: "class", gap: 0.0247, gradientShare: 0.0817 },
  { method: "selective-synaptic-dampening", scope: "class", gap: 0.0036, gradientShare: 0.0075 },
];
