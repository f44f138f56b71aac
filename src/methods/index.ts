import { LetheError } from "../kernel/errors.ts";
import { badTeacher } from "./bad-teacher.ts";
import { boundaryExpand } from "./boundary-expand.ts";
import { boundaryShrink } from "./boundary-shrink.ts";
import { camu } from "./camu.ts";
import { cfK } from "./cf-k.ts";
import type { Method, MethodTable } from "./contract.ts";
import { decoupledDistillation } from "./delete.ts";
import { doNothing } from "./do-nothing.ts";
import { euK } from "./eu-k.ts";
import { fineTune } from "./fine-tune.ts";
import { fisherForgetting } from "./fisher-forgetting.ts";
import { gradientAscent } from "./gradient-ascent.ts";
import { influence } from "./influence.ts";
import { l1Sparse } from "./l1-sparse.ts";
import { loft } from "./loft.ts";
import { ltu } from "./ltu.ts";
import { miu } from "./miu.ts";
import { muMis } from "./mu-mis.ts";
import { natmu } from "./natmu.ts";
import { negGradPlus } from "./neg-grad-plus.ts";
import { npo } from "./npo.ts";
import { perturbedSign } from "./perturbed-sign.ts";
import { pgu } from "./pgu.ts";
import { pruneFirst } from "./prune-first.ts";
import { randomLabels } from "./random-labels.ts";
import { randomNoise } from "./random-noise.ts";
import { retrain } from "./retrain.ts";
import { reweight } from "./reweight.ts";
import { salun } from "./salun.ts";
import { scrub, scrubR } from "./scrub.ts";
import { selectiveSynapticDampening } from "./selective-synaptic-dampening.ts";
import { sisa } from "./sisa.ts";

const references = [retrain, doNothing, randomNoise];
const published = [
  camu,
  l1Sparse,
  loft,
  ltu,
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
const baselines = [
  badTeacher,
  boundaryExpand,
  boundaryShrink,
  cfK,
  decoupledDistillation,
  euK,
  fineTune,
  fisherForgetting,
  gradientAscent,
  influence,
  negGradPlus,
  npo,
  randomLabels,
  salun,
  selectiveSynapticDampening,
  sisa,
];

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

/** One line of the list of methods. */
export type MethodListing = Pick<
  Method,
  "id" | "title" | "references" | "scope" | "needs" | "uses" | "guarantee" | "avoidWhen"
> & {
  /** The method's own paper; empty for a control or a common practice. */
  readonly paper: string;
  /** Settings with their defaults. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Whether something is computed from the training data before any request. */
  readonly isPrepared: boolean;
};

/** What is known about every method, as plain data. */
export function listMethods(): readonly MethodListing[] {
  return Object.values(methods).map(
    ({ id, title, references, scope, needs, uses, guarantee, avoidWhen, config, prepare }) => ({
      id,
      title,
      paper: references[0] ?? "",
      references,
      scope,
      needs,
      uses,
      guarantee,
      avoidWhen,
      settings: config.parse({}) as Readonly<Record<string, unknown>>,
      isPrepared: prepare !== undefined,
    }),
  );
}
