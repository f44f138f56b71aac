/**
 * An orthonormal basis of the span of a matrix's columns, by modified Gram–Schmidt carried out twice (Giraud, Langou,
 * Rozložník, 2005: twice is enough). Plain loops in double precision: for small matrices and as a reference.
 *
 * @param data - [rows, columns], row-major, of full column rank
 * @returns [rows, columns], row-major
 */
export function orthonormalColumns(rows: number, columns: number, data: ArrayLike<number>): Float64Array {
  const vectors = Array.from({ length: columns }, (_, c) =>
    Float64Array.from({ length: rows }, (_, r) => data[r * columns + c] as number),
  );
  for (const [c, vector] of vectors.entries()) {
    for (const earlier of [...vectors.slice(0, c), ...vectors.slice(0, c)]) {
      const overlap = dot(earlier, vector);
      for (let r = 0; r < rows; r++) vector[r] = (vector[r] as number) - overlap * (earlier[r] as number);
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let r = 0; r < rows; r++) vector[r] = (vector[r] as number) / norm;
  }
  const out = new Float64Array(rows * columns);
  for (const [c, vector] of vectors.entries()) {
    for (let r = 0; r < rows; r++) out[r * columns + c] = vector[r] as number;
  }
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
