import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import { add, div, mul, pow, sqrt, square, sub } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";

/** Settings of every optimizer; the only place where their defaults live. */
export const optimizerSchema = z.discriminatedUnion("id", [
  z
    .strictObject({
      id: z.literal("sgd"),
      momentum: z.number().min(0).lt(1).default(0).describe("share of the last velocity that is kept"),
      weightDecay: z.number().min(0).default(0).describe("λ of the penalty λ/2·‖w‖², added to the gradient"),
      nesterov: z.literal(true).optional().describe("steps by g + μv in place of v"),
    })
    .refine(({ momentum, nesterov }) => !nesterov || momentum > 0, "expected momentum with nesterov"),
  z.strictObject({
    id: z.literal("adam"),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().positive().default(1e-8),
    weightDecay: z.number().min(0).default(0).describe("added to the gradient"),
  }),
  z.strictObject({
    id: z.literal("adamw"),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().positive().default(1e-8),
    weightDecay: z.number().min(0).default(0.01).describe("decoupled: w shrinks by learningRate·λ a step"),
  }),
]);

/** An optimizer with all its settings. */
export type OptimizerConfig = z.output<typeof optimizerSchema>;

/**
 * Reads an optimizer by name with default settings, or with settings.
 *
 * @throws LETHE_USAGE_OPTIMIZER
 */
export function parseOptimizer(input: string | z.input<typeof optimizerSchema>): OptimizerConfig {
  const parsed = optimizerSchema.safeParse(typeof input === "string" ? { id: input } : input);
  if (parsed.success) return parsed.data;
  throw new LetheError(
    "usage",
    "USAGE_OPTIMIZER",
    `Expected an optimizer sgd, adam or adamw with valid settings: ${z.prettifyError(parsed.error)}`,
  );
}

/** The vectors an optimizer keeps per parameter, each of the parameter's shape and zero at first. */
export function stateNames(config: OptimizerConfig): readonly string[] {
  if (config.id === "sgd") return config.momentum > 0 ? ["momentum"] : [];
  return ["first-moment", "second-moment"];
}

/** What one optimizer step needs of a parameter. */
export interface OptimizerInput {
  readonly parameter: Value;
  readonly gradient: Value;
  /** In the order of {@link stateNames}. */
  readonly state: readonly Value[];
  /** Scalar. */
  readonly learningRate: Value;
  /** The number of this step as a scalar, 1 at first. */
  readonly step: Value;
}

/** The parameter and the state after the step. */
export interface OptimizerOutput {
  readonly parameter: Value;
  readonly state: readonly Value[];
}

/**
 * One step of the optimizer as graph values.
 *
 * sgd: v ← μv + g + λw, w ← w − ηv (PyTorch's form: no dampening, decay in the gradient); with Nesterov's momentum
 * w ← w − η(g + λw + μv).
 * adam: m ← β₁m + (1−β₁)g, s ← β₂s + (1−β₂)g², w ← w − η·(m/(1−β₁ᵗ)) / (√(s/(1−β₂ᵗ)) + ε).
 * adamw: as adam on the bare gradient, after w ← (1 − ηλ)w.
 * Sources: Sutskever et al. (2013); Kingma & Ba, arXiv 1412.6980, algorithm 1; Loshchilov & Hutter, arXiv 1711.05101.
 */
export function optimizerStep(config: OptimizerConfig, input: OptimizerInput): OptimizerOutput {
  const { parameter, learningRate } = input;
  if (config.id === "sgd") {
    const gradient = decayed(input.gradient, parameter, config.weightDecay);
    if (config.momentum === 0) return { parameter: sub(parameter, mul(gradient, learningRate)), state: [] };
    const velocity = add(mul(input.state[0] as Value, config.momentum), gradient);
    const direction = config.nesterov ? add(gradient, mul(velocity, config.momentum)) : velocity;
    return { parameter: sub(parameter, mul(direction, learningRate)), state: [velocity] };
  }
  const { beta1, beta2, epsilon, weightDecay } = config;
  const [first, second] = input.state as [Value, Value];
  const coupled = config.id === "adam";
  const gradient = coupled ? decayed(input.gradient, parameter, weightDecay) : input.gradient;
  const start =
    coupled || weightDecay === 0 ? parameter : mul(parameter, sub(1, mul(learningRate, weightDecay)));
  const m = add(mul(first, beta1), mul(gradient, 1 - beta1));
  const s = add(mul(second, beta2), mul(square(gradient), 1 - beta2));
  const { graph } = parameter;
  // Scalars: the bias corrections 1 − βᵗ.
  const correction1 = sub(1, pow(graph.scalar(beta1), input.step));
  const correction2 = sub(1, pow(graph.scalar(beta2), input.step));
  const denominator = add(mul(sqrt(s), div(1, sqrt(correction2))), epsilon);
  return { parameter: sub(start, mul(div(m, denominator), div(learningRate, correction1))), state: [m, s] };
}

function decayed(gradient: Value, parameter: Value, weightDecay: number): Value {
  return weightDecay === 0 ? gradient : add(gradient, mul(parameter, weightDecay));
}
