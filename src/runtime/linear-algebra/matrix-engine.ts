/** A dense matrix, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/**
 * Matrices X_b of one size, interleaved row by row: data is [rows, count, columns]. Read as [rows·count, columns] it is
 * all of them on top of each other, as [rows, count·columns] all side by side, so that a sum of products over the batch
 * is one product.
 */
export interface MatrixBatch {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Which operand enters a product transposed. */
export interface ProductOptions {
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
}

/**
 * Second moments of a batch in orthonormal bases U (rows × k) and V (columns × l). "Inside" is the span of a basis,
 * "total" inside and outside; what lies outside on either side follows by subtraction.
 */
export interface ProjectedEnergy {
  /** Σ_b (Uᵀ X_b V)²_ij, [k, l]. */
  readonly core: Float32Array;
  /** Σ_b Σ_c (Uᵀ X_b)²_ic: row directions, all columns, [k]. */
  readonly rows: Float32Array;
  /** Σ_b Σ_r (X_b V)²_rj: column directions, all rows, [l]. */
  readonly columns: Float32Array;
  /** Σ_b ‖X_b‖². */
  readonly total: number;
}

/** Matrix products that pay for an engine; results are fresh arrays, inputs are never changed. */
export interface MatrixEngine extends AsyncDisposable {
  /** AB, either operand transposed on request. */
  multiply(left: Matrix, right: Matrix, options?: ProductOptions): Promise<Matrix>;
  /** Σ_b X_b X_bᵀ ([rows, rows]) and Σ_b X_bᵀ X_b ([columns, columns]). */
  grams(batch: MatrixBatch): Promise<{ readonly rows: Matrix; readonly columns: Matrix }>;
  /** See {@link ProjectedEnergy}. */
  projectedEnergy(batch: MatrixBatch, left: Matrix, right: Matrix): Promise<ProjectedEnergy>;
  /** The orthonormal columns that span those of a matrix of full column rank (columns ≤ rows). */
  orthonormalize(matrix: Matrix): Promise<Matrix>;
}
