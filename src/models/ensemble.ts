import { deriveKey } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { int } from "../onnx/attributes.ts";
import { concat, logSoftmax, unsqueeze } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { Architecture } from "./architecture.ts";

/**
 * Several models of one architecture that decide by the mean of their probabilities, as one model: its scores are
 * log Σₘ softmax(logitsₘ) (up to a constant), whose softmax is that mean.
 *
 * @param count - of members, called `member-1` and so on; weights are called `member-1.NAME`
 */
export function ensembleOf(member: Architecture, count: number): Architecture {
  const { rewrite: _, notes: __, ...facts } = member;
  return {
    ...facts,
    id: `${count}×${member.id}`,
    weights: Array.from({ length: count }, (_, at) => at).flatMap((at) =>
      member.weights.map((spec) => ({
        ...spec,
        name: memberWeight(at, spec.name),
        initial: (key) => spec.initial(deriveKey(key, "member", at)),
      })),
    ),
    forward: (input, weightOf, mode, companions) => {
      const nextBuffers = new Map<string, Value>();
      const scores = Array.from({ length: count }, (_, at) => {
        const own = member.forward(input, (name) => weightOf(memberWeight(at, name)), mode, companions);
        for (const [name, value] of own.nextBuffers) nextBuffers.set(memberWeight(at, name), value);
        return logSoftmax(own.logits);
      });
      const all = concat(
        scores.map((part) => unsqueeze(part, [0])),
        0,
      );
      return {
        logits: all.graph.apply("ReduceLogSumExp", [all, all.graph.integers([0])], { keepdims: int(0) }),
        nextBuffers,
      };
    },
  };
}

/** The weights of an ensemble, from those of its members. */
export function ensembleWeights(members: readonly ParameterSet[]): ParameterSet {
  return new Map(
    members.flatMap((weights, at) =>
      [...weights].map(([name, values]) => [memberWeight(at, name), values] as const),
    ),
  );
}

function memberWeight(at: number, name: string): string {
  return `member-${at + 1}.${name}`;
}
