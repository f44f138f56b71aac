import type { Samples } from "../data/dataset.ts";
import { stratifiedSplit } from "../data/split.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { drawRows } from "../metrics/attacks/draw-rows.ts";
import type { AuditSets } from "./scored-model.ts";

/** The data of a run, and which of its training samples are gone. */
export interface AuditData {
  readonly train: Samples;
  readonly validation: Samples;
  readonly test: Samples;
  /** Positions in `train` that the audited requests took away, ascending. */
  readonly forget: Uint32Array;
  /** Positions in `train` that every model since retraining may be trained on, ascending: none of `forget`, none of earlier requests. */
  readonly retain: Uint32Array;
}

/** Samples of each set that are looked at: the figures scatter by at most 1.6 points of a share, and an audit stays a matter of minutes. */
const MOST = { forget: 1000, retain: 1000, unseen: 1000, test: 2000 } as const;
/** Validation samples from which they serve as the unseen ones; with fewer the test part is divided. */
export const ENOUGH_VALIDATION = 100;
/** Which samples are drawn is the same in every audit of the same data. */
const KEY = keyFromSeed("audit sets");

/** Draws the samples of an audit. Attacks are fitted on other samples than those that measure the test accuracy. */
export function drawAuditSets({ train, validation, test, forget, retain }: AuditData): AuditSets {
  const drawn = (samples: Samples, role: keyof AuditSets): Samples =>
    samples.count <= MOST[role] ? samples : samples.subset(drawRows(KEY, role, samples.count, MOST[role]));
  const [unseen, judged] = validation.count >= ENOUGH_VALIDATION ? [validation, test] : halves(test);
  return {
    forget: drawn(train.subset(forget), "forget"),
    retain: drawn(train.subset(retain), "retain"),
    unseen: drawn(unseen, "unseen"),
    test: drawn(judged, "test"),
  };
}

function halves(samples: Samples): readonly [Samples, Samples] {
  const split = stratifiedSplit(samples.labels, samples.classCount, 1 / 2, KEY);
  return [samples.subset(split.train), samples.subset(split.test)];
}
