import type { ModelLayout } from "../kernel/layout.ts";
import type { Plane } from "./coding/plane.ts";

/** A tensor as a matrix, and where it begins. */
export interface Matrix extends Plane {
  readonly offset: number;
}

/** The parameters as matrices [first dimension, the rest]; a vector is one row. */
export function matricesOf(layout: ModelLayout): readonly Matrix[] {
  return layout.slots
    .filter((slot) => slot.role === "parameter" && slot.length > 0)
    .map(({ offset, shape, length }) => {
      const rows = shape.length < 2 ? 1 : (shape[0] as number);
      return { offset, rows, columns: length / rows };
    });
}
