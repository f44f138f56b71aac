/** A matrix of symbols, row-major: neighbours in its rows and columns tell how large a symbol will be. */
export interface Plane {
  readonly rows: number;
  readonly columns: number;
}
