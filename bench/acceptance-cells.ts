import type { SimulationInput } from "../src/federation/simulation/config.ts";

/** A setting of the acceptance experiment: run with three seeds and every variant of unlearning. */
export interface Cell {
  readonly id: string;
  readonly config: SimulationInput;
  /** What must hold, on the mean over seeds unless a name ends in `Each`. */
  readonly limits: Limits;
  /** Also unlearn by the scalar rule: negative controls. */
  readonly scalarControls?: boolean;
  /** Known to be weak: figures are published, limits are not asserted. */
  readonly isKnownWeak?: boolean;
}

/** Bounds relative to retraining; left out where the notes give none. */
export interface Limits {
  /** Accuracy of θ = 3 without help is at least retraining's minus this. */
  readonly accuracyLoss?: number;
  /** Attack success of θ = 3 is at most retraining's plus this. */
  readonly attackGain?: number;
  /** The same after θ = 1 and one short round of all kept clients. */
  readonly repairedAccuracyLoss?: number;
  readonly repairedAttackGain?: number;
  /** |accuracy − retraining's| of an honest leaver. */
  readonly accuracyGap?: number;
  readonly agreement?: number;
  /** Accuracy on the removed client's data is at most retraining's plus this. */
  readonly removedGain?: number;
}

const backdoor = (boost: number, trigger?: string): SimulationInput["attack"] => ({
  id: "backdoor",
  settings: trigger === undefined ? { boost } : { boost, trigger },
});

const MNIST_LIMITS = {
  accuracyLoss: 0.01,
  attackGain: 0.02,
  repairedAccuracyLoss: 0.015,
  repairedAttackGain: 0.02,
};
const FASHION_LIMITS = {
  accuracyLoss: 0.015,
  attackGain: 0.07,
  repairedAccuracyLoss: 0.02,
  repairedAttackGain: 0.03,
};
const HONEST_LIMITS = { accuracyGap: 0.01, agreement: 0.97, removedGain: 0.03 };

/** The settings of `federated-unlearning` acceptance: data × partition × leaver, then one stress each. */
export const cells: readonly Cell[] = [
  {
    id: "fashion-dirichlet-attack",
    config: { data: "fashion-mnist", attack: backdoor(10) },
    limits: FASHION_LIMITS,
    scalarControls: true,
  },
  {
    id: "mnist-dirichlet-attack",
    config: { attack: backdoor(5) },
    limits: MNIST_LIMITS,
    scalarControls: true,
  },
  {
    id: "fashion-iid-attack",
    config: { data: "fashion-mnist", partition: "iid", attack: backdoor(10) },
    limits: FASHION_LIMITS,
    scalarControls: true,
  },
  {
    id: "mnist-iid-attack",
    config: { partition: "iid", attack: backdoor(5) },
    limits: MNIST_LIMITS,
    scalarControls: true,
  },
  { id: "fashion-dirichlet-honest", config: { data: "fashion-mnist" }, limits: HONEST_LIMITS },
  { id: "mnist-dirichlet-honest", config: {}, limits: HONEST_LIMITS },
  {
    id: "fashion-exclusive-honest",
    config: { data: "fashion-mnist", partition: "exclusive", leaverWeight: 5 },
    limits: { removedGain: 0.03 },
  },
  {
    id: "mnist-exclusive-honest",
    config: { partition: "exclusive", leaverWeight: 5 },
    limits: { removedGain: 0.03 },
  },
  {
    id: "fashion-two-attackers",
    config: { data: "fashion-mnist", attack: backdoor(10), attackers: [0, 1], unlearn: { clients: [0, 1] } },
    limits: FASHION_LIMITS,
  },
  {
    id: "fashion-momentum",
    config: {
      data: "fashion-mnist",
      attack: backdoor(10),
      local: { learningRate: 0.03, optimizer: { id: "sgd", momentum: 0.9 } },
    },
    limits: FASHION_LIMITS,
  },
  {
    id: "fashion-five-epochs",
    config: { data: "fashion-mnist", attack: backdoor(10), local: { epochs: 5 } },
    limits: FASHION_LIMITS,
  },
  {
    id: "fashion-temporal",
    config: {
      data: "fashion-mnist",
      attack: backdoor(10),
      codec: { rate: { bitsPerParameter: 1.2 }, threshold: { mode: "temporal", tau: 1.1 } },
    },
    limits: { repairedAccuracyLoss: 0.02, repairedAttackGain: 0.03 },
  },
  {
    id: "fashion-cnn",
    config: { data: "fashion-mnist", model: "cnn", rounds: 30, samplesPerClient: 500, attack: backdoor(10) },
    limits: FASHION_LIMITS,
  },
  {
    id: "mnist-cnn",
    config: { model: "cnn", rounds: 30, samplesPerClient: 500, attack: backdoor(5) },
    limits: MNIST_LIMITS,
  },
  {
    id: "fashion-kappa-half",
    config: {
      data: "fashion-mnist",
      attack: backdoor(10),
      codec: { rate: { bitsPerParameter: 1.2 }, storedClientFraction: 0.5 },
    },
    limits: {},
    isKnownWeak: true,
  },
  {
    id: "fashion-subspace-trigger",
    config: { data: "fashion-mnist", attack: backdoor(10, "subspace") },
    limits: {},
    isKnownWeak: true,
  },
  {
    id: "fashion-adam",
    config: {
      data: "fashion-mnist",
      attack: backdoor(10),
      local: { learningRate: 0.001, optimizer: { id: "adam" } },
    },
    limits: {},
    isKnownWeak: true,
  },
  {
    id: "fashion-cnn-batch-norm",
    config: {
      data: "fashion-mnist",
      model: "cnn-bn",
      rounds: 30,
      samplesPerClient: 500,
      attack: backdoor(10),
    },
    limits: FASHION_LIMITS,
  },
];
