import type { CodecConfigInput } from "../../src/history/config.ts";
import type { QuantiserId } from "../../src/history/quantisers/index.ts";

/** α of the scalar rule wherever it is run here. */
export const ALPHA = -0.15;

/** One way to keep a history. */
export interface Arm {
  readonly id: string;
  /** Codecs that differ in their rate alone share a family: a line of the plot. */
  readonly family: string;
  readonly codec: CodecConfigInput;
  /** Every how many rounds are stored; all when left out. */
  readonly roundStride?: number;
  /** What stands in for an update that was not stored; `hold` when left out. */
  readonly estimator?: "skip" | "ipw" | "hold";
  /** Rules it can serve; both when left out. */
  readonly rules?: readonly Rule[];
}

/** The rules that are run. */
export type Rule = "kronecker-response" | "medu";

const RATES = [0.05, 0.1, 0.2, 0.32, 0.5, 1, 2, 4] as const;
const FEW_RATES = [0.05, 0.1, 0.32, 1, 4] as const;

/** Families that every federation is measured with. */
const COMMON: readonly QuantiserId[] = ["z", "tcq8", "deadzone", "topk"];
/** The rest of the codecs, for the federations with all. */
const REST: readonly QuantiserId[] = ["a2", "d4", "e8", "tcq4", "tcq64", "dq4", "dq8", "randk"];

function rated(quantiser: QuantiserId, rates: readonly number[]): readonly Arm[] {
  return rates.map((bitsPerParameter) => ({
    id: `${quantiser}:${bitsPerParameter}`,
    family: quantiser,
    codec: { quantiser, rate: { bitsPerParameter } },
  }));
}

function withFeedback(quantiser: QuantiserId, rates: readonly number[]): readonly Arm[] {
  return rates.map((bitsPerParameter) => ({
    id: `${quantiser}:${bitsPerParameter} feedback`,
    family: `${quantiser} feedback`,
    codec: { quantiser, rate: { bitsPerParameter }, feedback: { alpha: ALPHA } },
  }));
}

const PLAIN: readonly Arm[] = (["float16", "int8", "int4"] as const).map((quantiser) => ({
  id: quantiser,
  family: quantiser,
  codec: { quantiser },
}));

const OTHER_FORMS: readonly Arm[] = [
  {
    id: "float16 sums",
    family: "float16 sums",
    codec: { retention: { mode: "accumulator", alpha: ALPHA } },
    rules: ["medu"],
  },
  ...[2, 5].map((roundStride) => ({
    id: `every ${roundStride}${roundStride === 2 ? "nd" : "th"} round, float32`,
    family: "FedEraser's rounds",
    codec: { quantiser: "none" as const },
    roundStride,
  })),
  ...(["skip", "ipw", "hold"] as const).flatMap((estimator) =>
    [0.5, 0.2].map((storedClientFraction) => ({
      id: `z:1.2, κ = ${storedClientFraction}, ${estimator}`,
      family: `κ, ${estimator}`,
      codec: { quantiser: "z" as const, rate: { bitsPerParameter: 1.2 }, storedClientFraction },
      estimator,
    })),
  ),
  {
    id: "z:1.2, temporal τ = 1.1",
    family: "temporal",
    codec: { quantiser: "z", rate: { bitsPerParameter: 1.2 }, threshold: { mode: "temporal", tau: 1.1 } },
  },
];

/** What every federation is measured with. */
export const commonArms: readonly Arm[] = [
  ...COMMON.flatMap((quantiser) => rated(quantiser, FEW_RATES)),
  ...withFeedback("deadzone", [0.1, 0.32, 1]),
  ...withFeedback("tcq8", [0.32, 1]),
  ...PLAIN,
  ...OTHER_FORMS,
];

/** What is added for the federations with every codec. */
export const furtherArms: readonly Arm[] = [
  ...COMMON.flatMap((quantiser) =>
    rated(
      quantiser,
      RATES.filter((rate) => !FEW_RATES.some((known) => known === rate)),
    ),
  ),
  ...REST.flatMap((quantiser) => rated(quantiser, RATES)),
  ...withFeedback("z", [0.32, 1]),
  ...withFeedback("dq8", [0.1, 0.32, 1]),
];
