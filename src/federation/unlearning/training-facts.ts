/** What the training log says about how the recorded updates came about. */
export interface TrainingFacts {
  /** The clients' optimizer: `sgd` and `adam` are understood, others are refused where it matters. */
  readonly optimizer: string;
  /** η of the clients, > 0. */
  readonly learningRate: number;
  /** B: samples of one local step. */
  readonly batchSize: number;
  /** E: passes over the local data in one round. */
  readonly localEpochs: number;
  /** K: local steps of a client in one round; where clients differ, the mean over clients. */
  readonly localSteps: number;
  /** μ of the clients' heavy-ball momentum, reset every round; 0 without. */
  readonly clientMomentum: number;
  /** v̄ of Adam clients: the mean squared minibatch gradient of honest clients over the run, in the layout's order. */
  readonly secondMoment?: Float32Array;
  /** u ← βu + h̄, w ← w + l·u. Plain averaging is β = 0, l = 1. */
  readonly server: ServerStep;
  /** m: the weight of a new batch in running statistics, r ← (1 − m)·r + m·batch. ONNX writes 1 − m. */
  readonly batchNormMomentum?: number;
  /** Clients of the federation, leavers included. */
  readonly clients: number;
  /** κ: the share of each round's updates that was recorded; 1 for all. */
  readonly recordedFraction: number;
}

/** How the server turns the round's mean into the next model. Buffers are averaged plainly, whatever it says. */
export interface ServerStep {
  /** β in [0, 1). */
  readonly momentum: number;
  /** l > 0. */
  readonly rate: number;
}
