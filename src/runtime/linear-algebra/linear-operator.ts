/** A symmetric linear map of vectors, such as a Hessian nobody writes down. */
export interface LinearOperator {
  /** Numbers of a vector. */
  readonly size: number;
  /** The image of a vector, as a fresh array; the vector is not changed. */
  apply(vector: Float64Array): Promise<Float64Array>;
}

/** A symmetric matrix as an operator. @param matrix - [size, size], row-major */
export function matrixOperator(size: number, matrix: ArrayLike<number>): LinearOperator {
  return {
    size,
    apply: async (vector) =>
      Float64Array.from({ length: size }, (_, row) => {
        let sum = 0;
        for (let column = 0; column < size; column++) {
          sum += (matrix[row * size + column] as number) * (vector[column] as number);
        }
        return sum;
      }),
  };
}

/** A + damping·I. */
export function damped(operator: LinearOperator, damping: number): LinearOperator {
  if (damping === 0) return operator;
  return {
    size: operator.size,
    async apply(vector) {
      const image = await operator.apply(vector);
      addScaled(image, vector, damping);
      return image;
    },
  };
}

/** xᵀy */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number);
  return sum;
}

/** ‖x‖ */
export function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

/** x ← x + factor·y, in place. */
export function addScaled(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) + factor * (y[i] as number);
}
