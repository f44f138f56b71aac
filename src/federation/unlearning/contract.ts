import type { z } from "zod";
import type { ClientId } from "../../kernel/client-id.ts";
import type { Progress, Scalars } from "../../kernel/events.ts";
import type { Key } from "../../kernel/key.ts";
import type { ModelLayout } from "../../kernel/layout.ts";
import type { LayerLayout } from "../../models/layers.ts";
import type { MatrixEngine } from "../../runtime/linear-algebra/matrix-engine.ts";
import type { HistoryDemand, UnlearningScope } from "./check-mode.ts";
import type { HistoryReader } from "./history-reader.ts";
import type { TrainingFacts } from "./training-facts.ts";

/** What a rule may ask for beyond the model: the stored updates, or clients that still work. */
export interface Capabilities {
  readonly history: HistoryReader;
  readonly clients: ClientFleet;
}

/** The name of a capability. */
export type Need = keyof Capabilities;

/** The clients of the federation, ready to train. */
export interface ClientFleet {
  readonly clients: readonly ClientId[];
  /**
   * One federated round: local training by those of the given clients whose turn it is, and the server's step.
   *
   * @returns the next global weights, a fresh array
   */
  runRound(order: {
    readonly weights: Float32Array;
    /** The index that seeds the clients' batch order. */
    readonly round: number;
    readonly clients: readonly ClientId[];
    /** Local steps for each client; as in training when left out. */
    readonly localSteps?: number;
    /** All of the given clients train, whoever's turn it is. */
    readonly everyoneTakesPart?: boolean;
    readonly signal?: AbortSignal | undefined;
  }): Promise<Float32Array>;
}

/** What every unlearning is about: a trained federated model and the clients to forget. */
export interface UnlearningRequest {
  readonly layout: ModelLayout;
  /** The trained tensors by layer, in order from input to output. */
  readonly layers: readonly LayerLayout[];
  /** w_T, in the layout's order. Never mutated. */
  readonly finalWeights: Float32Array;
  /** w_0, in the layout's order. Never mutated. */
  readonly initialWeights: Float32Array;
  readonly training: TrainingFacts;
  readonly leavers: readonly ClientId[];
  /** Whether the caller will let the kept clients run a repair round on the result. */
  readonly help: "none" | "repair-round";
  /** What the leavers are taken out of; `everything` when left out. */
  readonly scope?: UnlearningScope | undefined;
  /** Where matrix products run. */
  readonly matrices: MatrixEngine;
  /** The model's forward pass, for the diagnosis by synthetic inputs; left out, that part is left out. */
  readonly probe?: Probe;
  readonly key: Key;
  readonly signal?: AbortSignal | undefined;
}

/** A forward pass for flat weights. */
export interface Probe {
  /** The range inputs lie in, such as [0, 1] for pixels; infinite ends where there is none. */
  readonly inputRange: readonly [low: number, high: number];
  /** The predicted class of each row of `inputs` ([count, features], row-major). */
  predict(weights: Float32Array, inputs: Float32Array): Promise<ArrayLike<number>>;
}

/** A request together with the capabilities a rule declared. */
export type RequestWith<N extends Need> = UnlearningRequest & Pick<Capabilities, N>;

/** What a rule gives back. */
export interface UnlearningOutcome {
  /** w′, in the layout's order, a fresh array. */
  readonly weights: Float32Array;
  readonly diagnosis: Diagnosis;
  /** What was really read and how each part of the model was treated. */
  readonly evidence: Evidence;
}

/** What the rule thinks of its own result, without a reference. */
export interface Diagnosis {
  /** `unjudged`: the rule has no means to judge itself. */
  readonly verdict: "ok" | "warn" | "unjudged";
  readonly values: Readonly<Record<string, number>>;
  /** One sentence each: what was seen and what to do. None exactly when the verdict is not `warn`. */
  readonly warnings: readonly Warning[];
}

/** One reason for doubt. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** Counts of what a rule read, and the treatment of each layer. */
export interface Evidence {
  readonly rounds: number;
  /** Rounds in which a leaver's part was taken out. */
  readonly correctedRounds: number;
  /** Updates decoded, over all passes. */
  readonly recordsRead: number;
  /** Clients kept whose updates were read. */
  readonly keptClients: number;
  readonly leavers: number;
  readonly treatments: readonly Treatment[];
}

/** How one part of the model was treated. */
export interface Treatment {
  readonly layer: string;
  readonly treatment: string;
  readonly details: Scalars;
}

/** Bounds that are known before anyone trains. */
export interface RuleLimits {
  /** The clients' optimizers whose updates the rule understands. */
  readonly optimizers?: readonly string[];
  readonly leastKeptClients?: number;
}

/** A rule as the registry holds it: settings parsed, needs and request checked at the door. */
export interface UnlearningRule {
  readonly id: string;
  readonly title: string;
  readonly references: readonly string[];
  readonly needs: readonly Need[];
  /** What a run must be like for the rule to work on it; anything goes when left out. */
  readonly limits?: RuleLimits;
  /**
   * What the rule asks of a history, which some modes cannot do; undefined for one that reads none.
   *
   * @throws LETHE_USAGE_CONFIG
   */
  demands(settings?: Readonly<Record<string, unknown>>): HistoryDemand | undefined;
  /** What is known about the result, in one sentence. */
  readonly guarantee: string;
  readonly config: z.ZodType;
  /**
   * Unlearns.
   *
   * @param settings - checked against `config`, which holds the defaults; unknown keys are refused
   * @throws LETHE_USAGE_CONFIG, LETHE_USAGE_NEED, LETHE_USAGE_LEAVERS, LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE,
   * LETHE_CANCELLED, and what the rule itself throws
   */
  run(
    request: UnlearningRequest & Partial<Capabilities>,
    settings?: Readonly<Record<string, unknown>>,
  ): Progress<UnlearningOutcome>;
}
