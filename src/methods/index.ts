import { LetheError } from "../kernel/errors.ts";
import { camu } from "./camu.ts";
import type { Method, MethodTable } from "./contract.ts";
import { doNothing } from "./do-nothing.ts";
import { fineTune } from "./fine-tune.ts";
import { gradientAscent } from "./gradient-ascent.ts";
import { l1Sparse } from "./l1-sparse.ts";
import { loft } from "./loft.ts";
import { miu } from "./miu.ts";
import { muMis } from "./mu-mis.ts";
import { natmu } from "./natmu.ts";
import { negGradPlus } from "./neg-grad-plus.ts";
import { perturbedSign } from "./perturbed-sign.ts";
import { pgu } from "./pgu.ts";
import { pruneFirst } from "./prune-first.ts";
import { randomLabels } from "./random-labels.ts";
import { randomNoise } from "./random-noise.ts";
import { retrain } from "./retrain.ts";
import { reweight } from "./reweight.ts";
import { scrub, scrubR } from "./scrub.ts";

const references = [retrain, doNothing, randomNoise];
const published = [
  camu,
  l1Sparse,
  loft,
  miu,
  muMis,
  natmu,
  perturbedSign,
  pgu,
  pruneFirst,
  reweight,
  scrub,
  scrubR,
];
const baselines = [fineTune, gradientAscent, negGradPlus, randomLabels];

/** Every method that unlearns a centrally trained model, by id: references and controls, published systems, baselines. */
export const methods: MethodTable = Object.fromEntries(
  [...references, ...published, ...baselines].map((method) => [method.id, method]),
);

/**
 * The method of an id.
 *
 * @throws LETHE_USAGE_METHOD naming the ids there are
 */
export function findMethod(id: string): Method {
  const method = Object.hasOwn(methods, id) ? methods[id] : undefined;
  if (method !== undefined) return method;
  throw new LetheError(
    "usage",
    "USAGE_METHOD",
    `Expected a method ${Object.keys(methods).join(", ")}, got \`${id}\`.`,
    { details: { method: id } },
  );
}
