import type { Scalars } from "../kernel/events.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { TrainerState } from "../training/objective.ts";
import type { Stop } from "./contract.ts";

/** Where a loop stands after an epoch. */
export interface Reached {
  readonly state: TrainerState;
  /** Epochs done. */
  readonly epoch: number;
  /** What the loop carries from epoch to epoch beside the state. */
  readonly carried: ParameterSet;
}

/** What a look at the model after an epoch leads to. */
export interface Look {
  /** Ends the loop. */
  readonly stop?: Stop;
  /** The result, where it is not the state reached: an earlier model that a rule goes back to. */
  readonly weights?: ParameterSet;
  readonly carried?: ParameterSet;
  readonly scalars?: Scalars;
  /** For the reader of the run. */
  readonly notice?: { readonly code: string; readonly message: string };
}
