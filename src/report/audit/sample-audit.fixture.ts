import type { MetricRow } from "../../audit/audit-document.ts";
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
