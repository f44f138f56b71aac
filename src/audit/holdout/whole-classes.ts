import { mean } from "../../metrics/statistics/summary.ts";
import { type AuditOutcome, refused } from "../audit.ts";
import type { AuditData } from "../audit-sets.ts";
import { hits } from "../measures/accuracy-measures.ts";
import type { ScoredModel } from "../scored-model.ts";
import { STRONGER_EVIDENCE } from "./held-out-verdict.ts";

/** Classes of which nothing is left to train on. */
export function classesGone({ train, forget, retain }: AuditData): ReadonlySet<number> {
  const labelsOf = (positions: Uint32Array): ReadonlySet<number> =>
    new Set(Array.from(positions, (position) => train.labels[position] as number));
  const kept = labelsOf(retain);
  return new Set([...labelsOf(forget)].filter((label) => !kept.has(label)));
}

/** A model that still knows more than this share of what the original knew of a class was not made without it. */
const STILL_KNOWS = 1 / 2;

/**
 * What can be said of whole classes without retrained models. A model that never saw a class gets its held-out samples as wrong as the forgotten
 * ones, so that these have to be got wrong too: one that still knows them fails. That it no longer knows them proves nothing, since masking the
 * class or a new last layer does as much: then no verdict is given.
 */
export function judgeClasses(
  gone: ReadonlySet<number>,
  original: ScoredModel,
  unlearned: ScoredModel,
): AuditOutcome {
  const knownOf = (model: ScoredModel): number =>
    mean(
      (["forget", "unseen", "test"] as const).flatMap((set) =>
        Array.from(hits(model[set])).filter((_, row) => gone.has(model[set].labels[row] as number)),
      ),
    );
  const [before, after] = [knownOf(original), knownOf(unlearned)];
  const named = `${gone.size === 1 ? "the class" : "the classes"} ${[...gone].join(", ")}`;
  const figures = `${(100 * after).toFixed(1)} % of forgotten and held-out samples of ${named} are answered rightly, by the original ${(100 * before).toFixed(1)} %`;
  if (after > STILL_KNOWS * before) {
    return {
      ...refused([
        `The model still knows what it was to forget: ${figures}. A model that never saw a class answers it next to never.`,
      ]),
      verdict: "fail",
    };
  }
  return refused([
    `All training samples of ${named} were forgotten: held-out samples of them are to be answered wrongly as well, so that treating both alike shows nothing. ` +
      `That ${figures}, proves nothing either: a masked class or a new last layer does as much. ${STRONGER_EVIDENCE}`,
  ]);
}
