import { deriveKey, type Key } from "../../../kernel/key.ts";
import { dominantBasis } from "../../../runtime/linear-algebra/dominant-basis.ts";
import type { Matrix, MatrixEngine } from "../../../runtime/linear-algebra/matrix-engine.ts";
import type { FactoredBlock } from "./factors.ts";

/** The coordinates of a block: leading eigenvectors of its factors, in columns. */
export interface Bases {
  /** U, [rows, k]. */
  readonly rows: Matrix;
  /** V, [columns, l]. */
  readonly columns: Matrix;
}

/**
 * The eigenbases of a block's factors, complete up to `rank` and cut there; `undefined` for a block without factors or without life.
 */
export async function basesOf(
  { whole, live, factors }: FactoredBlock,
  engine: MatrixEngine,
  rank: number,
  key: Key,
): Promise<Bases | undefined> {
  if (factors === undefined || live === undefined) return undefined;
  const { rows, columns } = factors;
  const optionsFor = (side: string, slack: number) => ({
    rank,
    slack,
    key: deriveKey(key, whole.layer, side),
  });
  const left = await dominantBasis(engine, rows.matrix, optionsFor("rows", rows.slack));
  const right = await dominantBasis(engine, columns.matrix, optionsFor("columns", columns.slack));
  return { rows: left.vectors, columns: right.vectors };
}
