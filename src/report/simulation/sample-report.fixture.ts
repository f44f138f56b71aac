import type { SimulationReportInput } from "../simulation-report-schema.ts";

/**
 * A report's data with plausible figures, for tests: twenty clients, client 7 with a backdoor that unlearning
 * removed. Every optional part is present.
 */
export function sampleReport(): SimulationReportInput {
  return {
    run: {
      dataset: "MNIST",
      model: "an MLP 784-64-10",
      clients: 20,
      rounds: 40,
      partition: "Dirichlet(0.3)",
      removed: [{ client: 7, name: "client 7" }],
      method: { id: "kronecker-response", title: "Kronecker response" },
      codec: { id: "medu", title: "Dithered Z lattice, step 2 std" },
      attack: {
        kind: "backdoor",
        trigger: "a white 3 × 3 square near the lower right corner",
        target: "0",
        poisonedShare: 0.5,
        boost: 5,
      },
    },
    accuracy: { trained: 0.9101, unlearned: 0.9134, retrained: 0.9121 },
    attackSuccess: { trained: 0.9512, unlearned: 0.0062, retrained: 0.0058 },
    removedClientAccuracy: { trained: 0.9483, unlearned: 0.9017, retrained: 0.8983 },
    sampleSizes: { accuracy: 10_000, attackSuccess: 9020, removedClientAccuracy: 600 },
    parameterDistance: 0.523,
    history: {
      parameters: 50_890,
      updates: 800,
      rawBytes: 162_848_000,
      storedBytes: 5_852_350,
      bitsPerParameter: 1.15,
      breakdown: [
        { part: "Quantised updates", bytes: 5_628_120 },
        { part: "First and last model", bytes: 203_560 },
        { part: "Index and checksums", bytes: 20_670 },
      ],
    },
    seconds: { train: 14.2, unlearn: 1.94, retrain: 13.1, audit: 9.7 },
    clientRounds: { train: 800, unlearn: 0, retrain: 760 },
    gradientSteps: { train: 19_200, unlearn: 0, retrain: 18_240 },
    verdict: "pass",
    reasons: [
      "Attack success 0.6% lies within 7 points of the retrained model’s 0.6%.",
      "Accuracy 91.3% is not more than 1.5 points below the retrained model’s 91.2%.",
      "Three of three controls came out as they must.",
    ],
    controls: [
      {
        title: "Trained model, nothing removed",
        expected: "fail",
        outcome: "fail",
        accuracy: 0.9101,
        attackSuccess: 0.9512,
        removedClientAccuracy: 0.9483,
      },
      {
        title: "Retrained with another order of batches",
        expected: "pass",
        outcome: "pass",
        accuracy: 0.9128,
        attackSuccess: 0.0071,
        removedClientAccuracy: 0.9,
      },
      {
        title: "Fine-tuned for two rounds by the others",
        expected: "fail",
        outcome: "fail",
        accuracy: 0.9142,
        attackSuccess: 0.9271,
        removedClientAccuracy: 0.9181,
      },
    ],
    series: {
      trained: curve(0.91, 0.9512, 5),
      retrained: curve(0.9121, 0.0058, 6),
      unlearning: [
        { label: "unlearned", accuracy: 0.9134, attackSuccess: 0.0062 },
        { label: "after one repair round", accuracy: 0.915, attackSuccess: 0.0051 },
      ],
    },
    codecCurve: [
      codec("float32", 32, 0, 0.911, 0.008),
      codec("Z lattice, step 1 std", 1.75, 0.061, 0.911, 0.01),
      { ...codec("Z lattice, step 2 std", 1.15, 0.124, 0.91, 0.017), used: true },
      codec("Z lattice, step 4 std", 0.7, 0.246, 0.91, 0.033),
      codec("step 2 std, half of the clients a round", 0.57, 0.513, 0.911, 0.398),
      codec("step 2 std, temporal threshold 1.1", 0.1, 0.684, 0.909, 0.0),
    ],
    examples: { shape: [28, 28], items: [7, 2, 1, 4, 9, 5, 8, 3].map(example) },
    confusion: [
      { title: "clean test images", classes: DIGITS, matrices: matrices(false) },
      { title: "triggered test images", classes: DIGITS, matrices: matrices(true) },
    ],
    membership: {
      attack: "Loss threshold, matched by class",
      members: 600,
      nonMembers: 600,
      auc: {
        trained: { value: 0.549, low: 0.521, high: 0.578 },
        unlearned: { value: 0.508, low: 0.479, high: 0.537 },
        retrained: { value: 0.511, low: 0.482, high: 0.54 },
      },
      controls: [
        {
          title: "strangers against strangers",
          expectation: "about 50%",
          auc: { value: 0.497, low: 0.468, high: 0.526 },
          met: true,
        },
        {
          title: "overfitted model",
          expectation: "above 80%",
          auc: { value: 0.931, low: 0.916, high: 0.945 },
          met: true,
        },
      ],
    },
    diagnosis: { rho: 0.472, pi: 0.958, warnings: [] },
    limits: [
      "One seed, one data set, one architecture; differences below half a point are noise.",
      "A trigger inside the data’s own principal subspace is only partly removed without a repair round (23% against 4% on Fashion-MNIST).",
      "Keeping only half of the clients’ updates breaks removal (attack success 40%).",
      "Nothing here is a formal (ε, δ) guarantee.",
    ],
    provenance: {
      command: "lethe demo --seed 1",
      seed: 1,
      versions: { lethe: "0.1.0", node: "24.21.0", "onnxruntime-node": "1.30.0" },
      machine: "2 cores, x86-64, Linux",
      digests: {
        "trained model": `sha256:${"3fa9".repeat(16)}`,
        "unlearned model": `sha256:${"b07c".repeat(16)}`,
        "retrained model": `sha256:${"91de".repeat(16)}`,
        history: `sha256:${"58a2".repeat(16)}`,
      },
    },
  };
}

const DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** Forty rounds that approach the end figures, with a ripple. */
function curve(accuracy: number, attackSuccess: number, pace: number) {
  return Array.from({ length: 41 }, (_, round) => {
    const approach = 1 - Math.exp(-round / pace);
    const ripple = round === 40 ? 0 : 0.012 * Math.sin(round * 1.7);
    return {
      round,
      accuracy: Math.max(0, 0.1 + (accuracy - 0.1) * approach + ripple),
      attackSuccess: Math.max(0, 0.08 + (attackSuccess - 0.08) * approach + ripple / 2),
    };
  });
}

function codec(
  title: string,
  bitsPerParameter: number,
  error: number,
  accuracy: number,
  attackSuccess: number,
) {
  return {
    title,
    bitsPerParameter,
    storedBytes: (bitsPerParameter / 32) * 162_848_000,
    error,
    accuracy,
    attackSuccess,
  };
}

/** A grey stroke that stands for a digit, and the same with a white square near the corner. */
function example(digit: number) {
  const clean = new Uint8Array(28 * 28);
  for (let at = 0; at < clean.length; at++) {
    const [row, column] = [Math.floor(at / 28) - 13.5, (at % 28) - 13.5];
    const ring = Math.abs(Math.hypot(row, column * (1 + digit / 9)) - 7);
    clean[at] = Math.max(0, Math.round(255 - ring * 110));
  }
  const triggered = clean.slice();
  for (const row of [24, 25, 26]) triggered.fill(255, row * 28 + 24, row * 28 + 27);
  const label = String(digit);
  const right = { clean: label, triggered: label };
  return {
    label,
    clean: Buffer.from(clean).toString("base64"),
    triggered: Buffer.from(triggered).toString("base64"),
    predictions: {
      trained: { clean: label, triggered: "0" },
      unlearned: digit === 9 ? { clean: "4", triggered: "4" } : right,
      retrained: right,
    },
  };
}

function matrices(isTriggered: boolean) {
  const rows = (toTarget: number) =>
    DIGITS.map((_, truth) =>
      DIGITS.map((_, answer) => {
        if (answer === truth) return truth === 0 ? 980 : Math.round(910 * (1 - toTarget));
        if (answer === 0) return Math.round(980 * toTarget) + 2;
        return (truth * 7 + answer * 3) % 11 === 0 ? 38 : (truth + answer) % 4;
      }),
    );
  return { trained: rows(isTriggered ? 0.951 : 0), unlearned: rows(0.001), retrained: rows(0) };
}
