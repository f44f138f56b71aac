import type { ModelLayout } from "../../../kernel/layout.ts";
import type { Treatment, UnlearningRequest } from "../contract.ts";
import type { Bases } from "./bases.ts";
import { runningStatistics } from "./buffers.ts";
import type { FactoredBlock } from "./factors.ts";

/** Says how a block was treated: nothing is left out silently. */
export function treatmentOf({ whole, live }: FactoredBlock, bases: Bases | undefined): Treatment {
  const { layer, rows, columns } = whole;
  if (live === undefined) {
    return {
      layer,
      treatment: "plain subtraction: kept clients did not disagree",
      details: { rows, columns },
    };
  }
  if (bases === undefined) {
    return { layer, treatment: "diagonal of its own covariance", details: { elements: rows } };
  }
  return {
    layer,
    treatment: whole.kind === "matrix" ? "Kronecker response" : "full covariance of scale and shift",
    details: {
      rows,
      columns,
      liveRows: live.rows,
      liveColumns: live.columns,
      rowRank: bases.rows.columns,
      columnRank: bases.columns.columns,
    },
  };
}

/** Says what became of buffers. */
export function bufferTreatments({ layout, layers, training }: UnlearningRequest): readonly Treatment[] {
  const running = runningStatistics(layers);
  const { batchNormMomentum, localSteps } = training;
  const isTreated = batchNormMomentum !== undefined;
  const others = bufferLength(layout) - running.length;
  return [
    ...(running.length === 0
      ? []
      : [
          {
            layer: "running statistics",
            treatment: isTreated ? "their own forgetting, (1 − m)^K a round" : LEFT,
            details: {
              elements: running.length,
              ...(isTreated ? { decay: (1 - batchNormMomentum) ** localSteps } : {}),
            },
          },
        ]),
    ...(others === 0 ? [] : [{ layer: "other buffers", treatment: LEFT, details: { elements: others } }]),
  ];
}

const LEFT = "left as trained";

function bufferLength({ length, parameterLength }: ModelLayout): number {
  return length - parameterLength;
}
