import type { MetricRow } from "../../audit/audit-document.ts";
import type { HeldOutFigure } from "../../audit/holdout/held-out-figures.ts";
import type { ManyModelsFigure } from "../../audit/many-models.ts";
import { AUDIT_FORMAT, AUDIT_VERSION, type AuditReport } from "../audit-report-data.ts";

const row = (
  title: string,
  group: string,
  original: number,
  unlearned: number,
  passes: boolean,
): MetricRow => ({
  title,
  group,
  unit: "share",
  original,
  unlearned,
  retrained: 0.52,
  floor: 0.013,
  ci: [unlearned - 0.55, unlearned - 0.49],
  limits: [0.47, 0.57],
  passes,
  tells: !passes,
  controls: { "random-init": 0.1, ruin: 0.2 },
});

const curve = (lift: number) => ({
  auc: 0.5 + lift,
  floor: 0.005,
  points: [
    [0.005, 0.005],
    [0.01, 0.01 + lift / 4],
    [0.1, 0.1 + lift],
    [1, 1],
  ] as const,
});

const manyFigure = (
  id: ManyModelsFigure["id"],
  title: string,
  set: ManyModelsFigure["set"],
  original: number,
  unlearned: number,
  retrained: number,
): ManyModelsFigure => ({ id, title, set, original, unlearned, retrained });

/** An audit that failed, with every part a report can have. The figures are made up. */
export function sampleAudit(): AuditReport {
  return {
    format: AUDIT_FORMAT,
    version: AUDIT_VERSION,
    verdict: "fail",
    reasons: [
      "The model still knows forgotten samples: “Error” is 2.0 %, retrained models lie around 52.0 %.",
    ],
    notes: ["2 of 120 forgotten samples are also among the retained ones as exact copies."],
    metrics: {
      ua: row("Error on the forgotten samples", "removal", 0.01, 0.02, false),
      cka: row("Likeness of the features", "features", 0.5, 0.51, true),
      ta: row("Accuracy on test samples", "utility", 0.53, 0.5, true),
      "mia-efficacy": row("Shown only", "reported", 0.5, 0.6, false),
    },
    controls: [
      {
        id: "original",
        title: "The original model, nothing removed",
        expected: "fail",
        outcome: "fail",
        failed: ["ua"],
      },
      {
        id: "retrained-1",
        title: "Retrained model 1, judged by the others",
        expected: "pass",
        outcome: "pass",
        failed: [],
      },
    ],
    relearning: {
      steps: { original: 0, unlearned: 3, retrained: [20, 24, 200] },
      anamnesis: 0.037,
      cap: 200,
    },
    manyModels: [
      manyFigure("u-lira", "U-LiRA, mean accuracy", "forget", 0.9, 0.75, 0.53),
      manyFigure("u-lira", "U-LiRA, mean accuracy", "retain", 0.52, 0.61, 0.52),
      manyFigure("klom", "KLoM, mean in nats", "forget", 4.1, 2.2, 0.3),
      manyFigure("klom", "KLoM, mean in nats", "unseen", 0.3, 0.4, 0.3),
    ],
    duplicates: { exact: 2, forget: 120, near: 3, compared: 120 },
    evidence: {
      roc: { original: curve(0.3), unlearned: curve(0.25), retrained: curve(0.01) },
      margins: {
        edges: [-2, 0, 2, 4],
        original: [0.1, 0.2, 0.7],
        unlearned: [0.2, 0.2, 0.6],
        retrained: [0.6, 0.3, 0.1],
      },
      classes: [
        { label: 0, samples: 60, forgotten: 0, original: 0.97, unlearned: 0.96, retrained: 0.97 },
        { label: 1, samples: 55, forgotten: 1, original: 0.95, unlearned: 0.4, retrained: 0 },
      ],
    },
    data: "mnist",
    model: "mlp:64",
    classNames: ["T-shirt <b>", "Trouser"],
    requests: [{ spec: "class:1", method: "fine-tune", samples: 120 }],
    references: 8,
    seed: 1,
    recipe: { epochs: 5, batchSize: 64 },
    digests: { original: "sha256:aa", unlearned: "sha256:bb", retrained: ["sha256:cc", "sha256:dd"] },
    seconds: 63,
    machine: "a processor, 2 cores, linux",
    versions: { node: "24.0.0", lethe: "0.1.0" },
  };
}

/** An audit without retrained models. The figures are made up. */
export function heldOutAudit(): AuditReport {
  const { evidence: _, relearning: __, manyModels: ___, ...rest } = sampleAudit();
  const around = (value: number) => ({ value, low: value - 0.06, high: value + 0.06 });
  const figure = (id: string, group: HeldOutFigure["group"], original: number): HeldOutFigure => ({
    id,
    title: `What ${id} reads`,
    group,
    neutral: 0.5,
    original: around(original),
    unlearned: around(0.51),
    limits: [0.42, 0.58],
    passes: true,
    tells: original > 0.6,
    controls: { ruin: { value: 0.2, passes: false } },
  });
  return {
    ...rest,
    verdict: "plausible",
    reasons: ["The model treats the forgotten samples as it treats held-out ones."],
    metrics: {},
    heldOut: [
      figure("held-out-loss", "removal", 0.8),
      figure("held-out-features", "features", 0.55),
      figure("ta", "utility", 0.52),
    ],
    references: 0,
    digests: { ...rest.digests, retrained: [] },
  };
}
