import type { Value } from "../../onnx/ir.ts";
import type { Architecture, Forward, Mode, WeightSpec } from "../architecture.ts";

/** What a module sees of the forward pass it is part of. */
export interface Pass {
  /** The value of each weight by name. */
  readonly weightOf: (name: string) => Value;
  readonly mode: Mode;
  /** Receives the running statistics after this batch, by buffer name. */
  readonly nextBuffers: Map<string, Value>;
}

/** A part of a network: its tensors and what it makes of a value. Modules are composed, and named from outside. */
export interface Module {
  readonly weights: readonly WeightSpec[];
  apply(x: Value, pass: Pass): Value;
}

/** A function of its input alone as a module: an activation, a pooling. */
export function stateless(apply: (x: Value) => Value): Module {
  return { weights: [], apply };
}

/** x ↦ mₙ(… m₁(x)). */
export function sequence(...modules: readonly Module[]): Module {
  return {
    weights: modules.flatMap(({ weights }) => weights),
    apply: (x, pass) => modules.reduce((value, module) => module.apply(value, pass), x),
  };
}

/** What an architecture is besides its module. */
export type NetworkFacts = Pick<Architecture, "id" | "inputShape" | "classes"> &
  Partial<Pick<Architecture, "inputName" | "inputType" | "labelShape">>;

/** The architecture of one module from input to class scores: of whole samples of numbers, unless said otherwise. */
export function networkOf(facts: NetworkFacts, module: Module): Architecture {
  return {
    inputName: "input",
    outputName: "logits",
    inputType: "float32",
    labelShape: [],
    ...facts,
    weights: module.weights,
    forward: (input, weightOf, mode): Forward => {
      const nextBuffers = new Map<string, Value>();
      return { logits: module.apply(input, { weightOf, mode, nextBuffers }), nextBuffers };
    },
  };
}
