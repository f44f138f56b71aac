import type { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import type { Progress, Scalars } from "../kernel/events.ts";
import type { Key } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import type { TrainerState } from "../training/objective.ts";
import type { Recipe } from "../training/recipe.ts";
import type { SisaOptions } from "../training/sisa/train-sisa.ts";
import type { Workbench } from "./workbench.ts";

/** The data a method may ask for, by the part they play. A method sees the roles it declares and no others. */
export interface Roles {
  /** What is to be forgotten, with labels. */
  readonly forget: Samples;
  /** What the model was trained on and keeps. */
  readonly retain: Samples;
  /** Held out from training: for stopping rules and tuning. Never the test part. */
  readonly validation: Samples;
}

/** The name of a role. */
export type Role = keyof Roles;

/** Roles as a caller gives them: those a method does not need may be left out. */
export type GivenRoles = { readonly [R in Role]?: Samples | undefined };

/** What a request names: a method may serve some of these and not others. */
export type Scope = "class" | "sample" | "subject" | "group";

/** What every unlearning is about: a trained model, and what kind of thing it is to forget. */
export interface MethodRequest {
  readonly architecture: Architecture;
  /** The trained model. Never mutated. */
  readonly weights: ParameterSet;
  readonly scope: Scope;
  /** The classes to be forgotten whole; empty in the other scopes. */
  readonly forgetClasses: readonly number[];
  /** How the model was trained. */
  readonly recipe: Recipe;
  readonly key: Key;
  readonly runtime: RuntimeOptions;
  /** What {@link Method.prepare} gave, for methods that have it. */
  readonly prepared?: ParameterSet | undefined;
  /** Every method by id, for methods that wrap another. */
  readonly methods?: MethodTable | undefined;
  /** What sharded training left behind, where the model was trained so; `architecture` is then the ensemble of its members. */
  readonly shards?: ShardedTraining | undefined;
  /** A checkpoint given to `onCheckpoint` by an interrupted run of the same request; this one goes on after it, bit for bit. */
  readonly resume?: Checkpoint | undefined;
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A model trained in shards: the architecture of each, and what training and unlearning have in common. */
export interface ShardedTraining extends Pick<SisaOptions, "config" | "key" | "checkpoints"> {
  readonly member: Architecture;
}

/** Everything a resumed run needs beyond its request: what is prepared before the loop is made again from the key. */
export interface Checkpoint {
  /** Which loop of the method it belongs to, from 0. */
  readonly stage: number;
  /** Epochs of that loop that are done. */
  readonly epoch: number;
  readonly state: TrainerState;
  /** Named tensors the loop carries besides, such as earlier checkpoints a stopping rule may go back to. */
  readonly carried: ParameterSet;
}

/** A request together with the roles a method declared (needed, and used where given), and its means to compute. */
export type RequestWith<R extends Role, U extends Role = never> = MethodRequest &
  Pick<Roles, R> & { readonly [Used in U]: Samples | undefined } & { readonly workbench: Workbench };

/** What the body of a method gives back. */
export interface MethodResult {
  /** The unlearned model, fresh arrays. */
  readonly weights: ParameterSet;
  /** Why the method stopped, for those with a stopping rule. */
  readonly stop?: Stop;
  /** What a reader wants to know of this run: norms, shares, counts. */
  readonly details?: Scalars;
  /** What a method that ran inside spent; see `innerMethod`. */
  readonly inner?: Evidence;
}

/** How a loop came to its end. */
export interface Stop {
  /** `cap`: the stopping rule never fired. `ruin`: the run was taken back to its last good checkpoint. */
  readonly by: "schedule" | "rule" | "cap" | "ruin";
  readonly epoch: number;
  /** One sentence. */
  readonly reason: string;
}

/** A result together with the evidence that was measured while it came about. */
export interface MethodOutcome extends MethodResult {
  readonly evidence: Evidence;
}

/** What a method really did, counted and not claimed. */
export interface Evidence {
  /** By role: how many distinct samples were read, and how many reads there were. */
  readonly read: Readonly<Partial<Record<Role, { readonly samples: number; readonly reads: number }>>>;
  /** Samples times backward passes. */
  readonly gradientEvaluations: number;
  /** Samples times forward passes without a backward one. */
  readonly forwardEvaluations: number;
}

/** A method as the registry holds it: settings parsed, roles and request checked at the door. */
export interface Method {
  readonly id: string;
  readonly title: string;
  /** `arXiv:2302.09880` and the like, the method's own paper first. */
  readonly references: readonly string[];
  readonly scope: readonly Scope[];
  readonly needs: readonly Role[];
  /** Roles it makes use of where they are given, and does without where not. */
  readonly uses: readonly Role[];
  /** Serves only models that were trained in shards. */
  readonly needsShards?: boolean;
  /** What is known about the result, in one sentence. */
  readonly guarantee: string;
  /** When another method is the better choice, in one sentence. */
  readonly avoidWhen: string;
  /** Set where the method works with the one label of a sample: no language model, which answers at every position. */
  readonly isForLabels?: boolean;
  readonly config: z.ZodType;
  /** Small grids of settings for a search on validation data, by name; the defaults are always tried too. */
  readonly grid: Readonly<Record<string, readonly unknown[]>>;
  /**
   * Computes what the method needs from the training data before any request, such as covariances: named tensors that are
   * stored with the model. The cost is counted apart and shared by all later requests.
   */
  prepare?(
    request: PreparationRequest,
    settings?: Readonly<Record<string, unknown>>,
  ): Progress<{ readonly prepared: ParameterSet; readonly evidence: Evidence }>;
  /**
   * Unlearns.
   *
   * @param settings - checked against `config`, which holds the defaults; unknown keys are refused
   * @throws LETHE_USAGE_CONFIG, LETHE_USAGE_SCOPE, LETHE_DATA_MISSING_<ROLE>, LETHE_DATA_EMPTY, LETHE_DATA_OVERLAP,
   * LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE, LETHE_NUMERIC_LOSS, LETHE_CANCELLED, and what the method itself throws
   */
  run(
    request: MethodRequest & GivenRoles,
    settings?: Readonly<Record<string, unknown>>,
  ): Progress<MethodOutcome>;
}

/** What a preparation is given: the trained model and all it was trained on. */
export interface PreparationRequest
  extends Pick<MethodRequest, "architecture" | "weights" | "recipe" | "key" | "runtime" | "signal"> {
  readonly training: Samples;
}

/** Methods by id. */
export type MethodTable = Readonly<Record<string, Method>>;
