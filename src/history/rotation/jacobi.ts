/** Passes over all pairs. Five leave less than a thousandth of the energy off the diagonal on updates' Gram matrices. */
const SWEEPS = 5;

/**
 * An orthonormal basis in which a symmetric matrix is nearly diagonal, by a fixed number of cyclic Jacobi sweeps. Only
 * + − × ÷ and square roots in a fixed order: equal bits everywhere, which no eigenvalue library promises.
 *
 * @param matrix - [order, order] row-major, symmetric, finite; overwritten
 * @returns [order, order]: the basis vectors as rows, by falling eigenvalue, of equal ones the earlier first
 * Source: G. H. Golub, C. F. Van Loan, "Matrix Computations" (4th ed.), §8.5.
 */
export function diagonalisingBasis(matrix: Float64Array, order: number): Float64Array {
  const vectors = new Float64Array(order * order);
  for (let index = 0; index < order; index++) vectors[index * order + index] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let p = 0; p < order - 1; p++) {
      for (let q = p + 1; q < order; q++) turn(matrix, vectors, order, p, q);
    }
  }
  const eigenvalue = (index: number): number => matrix[index * order + index] as number;
  const byEigenvalue = Array.from({ length: order }, (_, index) => index).sort(
    (a, b) => eigenvalue(b) - eigenvalue(a) || a - b,
  );
  const sorted = new Float64Array(order * order);
  byEigenvalue.forEach((from, to) => {
    sorted.set(vectors.subarray(from * order, (from + 1) * order), to * order);
  });
  return sorted;
}

/** Turns the axes p and q so that their element becomes zero. */
function turn(matrix: Float64Array, vectors: Float64Array, order: number, p: number, q: number): void {
  const element = matrix[p * order + q] as number;
  // Zero rows and columns stay untouched: dead units keep their zeros.
  if (element === 0) return;
  const theta = ((matrix[q * order + q] as number) - (matrix[p * order + p] as number)) / (2 * element);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (let index = 0, atP = p, atQ = q; index < order; index++, atP += order, atQ += order) {
    const a = matrix[atP] as number;
    const b = matrix[atQ] as number;
    matrix[atP] = cosine * a - sine * b;
    matrix[atQ] = sine * a + cosine * b;
  }
  turnRows(matrix, order, p, q, cosine, sine);
  turnRows(vectors, order, p, q, cosine, sine);
}

function turnRows(
  matrix: Float64Array,
  order: number,
  p: number,
  q: number,
  cosine: number,
  sine: number,
): void {
  for (let atP = p * order, atQ = q * order, end = atP + order; atP < end; atP++, atQ++) {
    const a = matrix[atP] as number;
    const b = matrix[atQ] as number;
    matrix[atP] = cosine * a - sine * b;
    matrix[atQ] = sine * a + cosine * b;
  }
}
