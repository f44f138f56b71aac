import type { Samples } from "../../data/dataset.ts";
import { samplesOf } from "../../data/samples.ts";
import { consume } from "../../kernel/events.ts";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { concat, logSoftmax, neg, oneHot, reduceMean, slice, unsqueeze } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import type { Feeds } from "../../training/feeds.ts";
import type { ObjectiveContext } from "../../training/objective-context.ts";
import { recipeSchema, trainByRecipe } from "../../training/recipe.ts";
import { MEMBER, membershipFamilies, NON_MEMBER } from "./membership-families.ts";

/** A fitted membership model. */
export interface MembershipModel {
  readonly architecture: Architecture;
  readonly weights: ParameterSet;
}

/** What a model answers samples: class scores [count, classes], and the samples' labels. */
export interface Answers {
  readonly logits: Float32Array;
  readonly labels: Int32Array;
}

/** Samples of either side: more add time and hardly precision to so small models. */
const MOST_SAMPLES = 2000;

/** Full batches, so that the running statistics are those of all rows; 200 steps bring them and the models to rest. */
const FIT = { epochs: 200, learningRate: 0.02, optimizer: { id: "adam", weightDecay: 1e-3 } } as const;

/**
 * Fits one membership model of every family to a model's answers, members against as many non-members.
 *
 * @param members - answers to samples of the training set
 * @param others - answers to samples never trained on
 * @param key - decides which samples are drawn where one side has more, and the initial weights
 */
export async function fitMembershipModels(
  {
    members,
    others,
    classes,
  }: { readonly members: Answers; readonly others: Answers; readonly classes: number },
  options: { readonly key: Key; readonly runtime: RuntimeOptions; readonly signal?: AbortSignal | undefined },
): Promise<readonly MembershipModel[]> {
  const { key, runtime, signal } = options;
  const count = Math.min(members.labels.length, others.labels.length, MOST_SAMPLES);
  const samples = membershipSamples(
    [
      { answers: members, membership: MEMBER, rows: drawn(members, count, deriveKey(key, "members")) },
      { answers: others, membership: NON_MEMBER, rows: drawn(others, count, deriveKey(key, "others")) },
    ],
    classes,
  );
  const recipe = recipeSchema.parse({ ...FIT, batchSize: samples.count });
  const models: MembershipModel[] = [];
  for (const architecture of membershipFamilies(classes)) {
    const run = { architecture, samples, key: deriveKey(key, architecture.id), runtime, signal };
    const { weights } = await consume(trainByRecipe(recipe, run));
    models.push({ architecture, weights });
  }
  return models;
}

/**
 * What each membership model would have to be told to take samples for non-members, −mean log(1 − M_k(answer)): low where it does.
 *
 * @param logits - [batch, classes]
 * @param labels - int64 class numbers [batch]
 * @returns [models]; the models' weights are fed by {@link membershipFeeds}
 */
export function membershipLosses(
  context: ObjectiveContext,
  models: readonly MembershipModel[],
  logits: Value,
  labels: Value,
): Value {
  const rows = concat([logits, oneHot(labels, Number(logits.shape[1]), logits.dtype)], 1);
  const losses = models.map(({ architecture }) => {
    const weights = new Map(
      architecture.weights.map(({ name, shape }) => [
        name,
        context.tensor(`${architecture.id}:${name}`, shape),
      ]),
    );
    const answer = architecture.forward(rows, (name) => weights.get(name) as Value, "inference");
    const asOthers = slice(logSoftmax(answer.logits), [{ axis: 1, start: NON_MEMBER, end: NON_MEMBER + 1 }]);
    return unsqueeze(neg(reduceMean(asOthers)), [0]);
  });
  return concat(losses, 0);
}

/** The fitted weights, as an objective with {@link membershipLosses} is fed them. */
export function membershipFeeds(models: readonly MembershipModel[]): Feeds {
  return Object.fromEntries(models.map(({ architecture, weights }) => [architecture.id, weights]));
}

function drawn({ labels }: Answers, count: number, key: Key): Uint32Array {
  return randomStream(key).permutation(labels.length).subarray(0, count);
}

function membershipSamples(
  sides: readonly { readonly answers: Answers; readonly membership: number; readonly rows: Uint32Array }[],
  classes: number,
): Samples {
  const all = sides.flatMap(({ answers, membership, rows }) =>
    Array.from(rows, (row) => ({ answers, membership, row })),
  );
  const width = 2 * classes;
  const values = new Float32Array(all.length * width);
  for (const [at, { answers, row }] of all.entries()) {
    values.set(answers.logits.subarray(row * classes, (row + 1) * classes), at * width);
    values[at * width + classes + (answers.labels[row] as number)] = 1;
  }
  return samplesOf({
    idPrefix: "answers",
    featureShape: [width],
    features: { values },
    labels: Int32Array.from(all, ({ membership }) => membership),
    classCount: 2,
  });
}
