import type { ModelLayout } from "../../kernel/layout.ts";
import { type Matrix, matricesOf } from "../matrices.ts";
import { diagonalisingBasis } from "./jacobi.ts";

/** The longest side that is rotated: the basis costs its cube, a tenth of a second at this length. */
const LONGEST_SIDE = 128;

/** A turn of one matrix's shorter side. */
interface SideRotation extends Matrix {
  /** Whether rows are mixed, because there are fewer of them than of columns; else columns. */
  readonly mixesRows: boolean;
  /** [side, side]: the new axes as rows. */
  readonly basis: Float64Array;
}

/** Turns of an update's matrices to axes in which few coordinates hold most of it. */
export type Rotation = readonly SideRotation[];

/**
 * The rotation for updates that resemble an earlier one: each matrix' shorter side, up to 128 long, is turned to the principal
 * axes of the decoded reference R, the eigenvectors of RᵀR (or RRᵀ). Writer and reader find the same from what they have
 * decoded, so nothing is sent.
 *
 * @param reference - [layout.length] decoded earlier update of the same client
 */
export function rotationFrom(reference: Float32Array, layout: ModelLayout): Rotation {
  return matricesOf(layout).flatMap((matrix): SideRotation[] => {
    const mixesRows = matrix.rows <= matrix.columns;
    const side = mixesRows ? matrix.rows : matrix.columns;
    if (side < 2 || side > LONGEST_SIDE) return [];
    const basis = diagonalisingBasis(gram(reference, matrix, mixesRows), side);
    return [{ ...matrix, mixesRows, basis }];
  });
}

/**
 * Turns to the new axes, or back.
 *
 * @param values - [layout.length], parameters are replaced, rounded to single precision once
 */
export function rotate(values: Float32Array, rotation: Rotation, direction: "there" | "back"): void {
  for (const { offset, rows, columns, mixesRows, basis } of rotation) {
    const side = mixesRows ? rows : columns;
    const lines = mixesRows ? columns : rows;
    const [stride, lineStride] = mixesRows ? [columns, 1] : [1, columns];
    const line = new Float64Array(side);
    for (let number = 0; number < lines; number++) {
      const start = offset + number * lineStride;
      line.fill(0);
      for (let axis = 0; axis < side; axis++) {
        const value = values[start + axis * stride] as number;
        if (direction === "back") {
          if (value === 0) continue;
          for (let index = 0, at = axis * side; index < side; index++, at++) {
            line[index] = (line[index] as number) + value * (basis[at] as number);
          }
        } else {
          let sum = 0;
          for (let index = 0, at = axis * side; index < side; index++, at++) {
            sum += (values[start + index * stride] as number) * (basis[at] as number);
          }
          line[axis] = sum;
        }
      }
      for (let axis = 0; axis < side; axis++) values[start + axis * stride] = (line[axis] as number) + 0;
    }
  }
}

/** RᵀR or, where rows are mixed, RRᵀ: products of the lines of the shorter side. */
function gram(values: Float32Array, { offset, rows, columns }: Matrix, mixesRows: boolean): Float64Array {
  const side = mixesRows ? rows : columns;
  const lines = mixesRows ? columns : rows;
  const [stride, lineStride] = mixesRows ? [columns, 1] : [1, columns];
  const sums = new Float64Array(side * side);
  for (let number = 0; number < lines; number++) {
    const start = offset + number * lineStride;
    for (let i = 0; i < side; i++) {
      const value = values[start + i * stride] as number;
      if (value === 0) continue;
      for (let j = i; j < side; j++) {
        sums[i * side + j] = (sums[i * side + j] as number) + value * (values[start + j * stride] as number);
      }
    }
  }
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < i; j++) sums[i * side + j] = sums[j * side + i] as number;
  }
  return sums;
}
