import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { type Key, randomStream } from "../../kernel/key.ts";
import { symmetricEigen } from "../../runtime/linear-algebra/symmetric-eigen.ts";

/** A subspace for features, and what it keeps. */
export interface ForgettingSubspace {
  /** U, [size, rank] with orthonormal columns. */
  readonly basis: Matrix;
  /** J_rm, the share of the retain samples' variance that is lost, in [0, 1]. */
  readonly retainLoss: number;
  /** J_fg, the share of the forget samples' variance that is kept, in [0, 1]. */
  readonly forgetKept: number;
}

/** The two covariances, [size, size], each divided by its trace. */
export interface Covariances {
  readonly retain: Matrix;
  readonly forget: Matrix;
}

/** Adam's constants on the manifold: the usual ones. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];
/** The fixed point settles within 20 rounds; half of each change is taken. */
const FIXED_POINT_ROUNDS = 30;
const DAMPING = 0.5;

/** How J is descended. */
export interface DescentOptions {
  readonly steps: number;
  readonly learningRate: number;
  /** w, what the forget samples' variance counts; 1 when left out. */
  readonly weight?: number;
  readonly key: Key;
}

/** A matrix over its trace; a covariance of no variance at all is left as it is. */
export function overTrace(size: number, values: Float64Array): Matrix {
  const matrix = Matrix.from1DArray(size, size, values);
  return matrix.div(Math.max(matrix.trace(), Number.MIN_VALUE));
}

/** J_rm = 1 − tr(UᵀΣ_rU) and J_fg = tr(UᵀΣ_fU), of covariances with trace 1. */
export function judge(basis: Matrix, { retain, forget }: Covariances): ForgettingSubspace {
  const kept = (covariance: Matrix): number => traceOfProduct(basis, covariance.mmul(basis));
  return { basis, retainLoss: 1 - kept(retain), forgetKept: kept(forget) };
}

/** J = J_rm² + w·J_fg². */
export function objectiveOf({ retainLoss, forgetKept }: ForgettingSubspace, weight = 1): number {
  return retainLoss ** 2 + weight * forgetKept ** 2;
}

/**
 * Minimises J over orthonormal U by Adam on the Stiefel manifold: gradient −4·J_rm·Σ_rU + 4·w·J_fg·Σ_fU, projected to the tangent
 * space, moments with one second moment for the whole matrix, retraction by QR, the first moment carried over by projection.
 *
 * @param onStep - told the subspace after every step
 */
export function descend(
  covariances: Covariances,
  rank: number,
  options: DescentOptions,
  onStep?: (subspace: ForgettingSubspace) => void,
): ForgettingSubspace {
  const size = covariances.retain.rows;
  const stream = randomStream(options.key);
  let basis = retracted(
    new Matrix(Array.from({ length: size }, () => Array.from({ length: rank }, () => stream.normal()))),
  );
  let first = Matrix.zeros(size, rank);
  let second = 0;
  for (let step = 1; step <= options.steps; step++) {
    const gradient = tangent(basis, gradientAt(basis, covariances, options.weight));
    first = Matrix.add(Matrix.mul(first, BETA1), Matrix.mul(gradient, 1 - BETA1));
    second = BETA2 * second + (1 - BETA2) * traceOfProduct(gradient, gradient);
    const scale = Math.sqrt(second / (1 - BETA2 ** step)) + EPSILON;
    const move = Matrix.mul(first, -options.learningRate / (1 - BETA1 ** step) / scale);
    basis = retracted(Matrix.add(basis, move));
    first = tangent(basis, first);
    onStep?.(judge(basis, covariances));
  }
  return judge(basis, covariances);
}

/** dJ/dU. */
export function gradientAt(basis: Matrix, { retain, forget }: Covariances, weight = 1): Matrix {
  const [ofRetain, ofForget] = [retain.mmul(basis), forget.mmul(basis)];
  const retainLoss = 1 - traceOfProduct(basis, ofRetain);
  const forgetKept = traceOfProduct(basis, ofForget);
  return ofRetain.mul(-4 * retainLoss).add(ofForget.mul(4 * weight * forgetKept));
}

/**
 * The covariances in their leading common directions, and the way back from these to features. Both as they are where there are no
 * more directions than wanted.
 */
export function reduceTo(
  covariances: Covariances,
  directions: number,
): { readonly reduced: Covariances; readonly lift: (basis: Matrix) => Matrix } {
  const { retain, forget } = covariances;
  if (retain.rows <= directions) return { reduced: covariances, lift: (basis) => basis };
  const common = leading(Matrix.add(retain, forget), directions);
  const into = (covariance: Matrix): Matrix => common.transpose().mmul(covariance).mmul(common);
  return { reduced: { retain: into(retain), forget: into(forget) }, lift: (basis) => common.mmul(basis) };
}

/**
 * The deterministic solver: at a stationary point the columns of U span leading eigenvectors of a·Σ_r − b·Σ_f with a = J_rm and
 * b = w·J_fg, which is iterated from a = 1 and b = w.
 */
export function fixedPoint(covariances: Covariances, rank: number, weight = 1): ForgettingSubspace {
  let [a, b] = [1, weight];
  let best: ForgettingSubspace | undefined;
  for (let round = 0; round < FIXED_POINT_ROUNDS; round++) {
    const mixed = Matrix.sub(Matrix.mul(covariances.retain, a), Matrix.mul(covariances.forget, b));
    const found = judge(leading(mixed, rank), covariances);
    if (best === undefined || objectiveOf(found, weight) < objectiveOf(best, weight)) best = found;
    a += DAMPING * (found.retainLoss - a);
    b += DAMPING * (weight * found.forgetKept - b);
  }
  return best as ForgettingSubspace;
}

function leading(symmetric: Matrix, rank: number): Matrix {
  const size = symmetric.rows;
  const { vectors } = symmetricEigen(size, Float64Array.from(symmetric.to1DArray()));
  return Matrix.from1DArray(size, size, vectors).subMatrix(0, size - 1, 0, rank - 1);
}

/** G − U·sym(UᵀG) */
function tangent(basis: Matrix, gradient: Matrix): Matrix {
  const inner = basis.transpose().mmul(gradient);
  const symmetric = Matrix.add(inner, inner.transpose()).mul(0.5);
  return Matrix.sub(gradient, basis.mmul(symmetric));
}

/**
 * The Q of a QR decomposition whose R has a positive diagonal: the nearest way back to orthonormal columns that is continuous.
 * By Cholesky, AᵀA = RᵀR and Q = AR⁻¹: products are quick, and a point of the manifold plus a tangent is never ill-conditioned. Twice,
 * since one pass leaves an error of the square of the condition number, which a long step makes large.
 */
function retracted(matrix: Matrix): Matrix {
  return choleskyOrthogonal(choleskyOrthogonal(matrix));
}

function choleskyOrthogonal(matrix: Matrix): Matrix {
  const lower = new CholeskyDecomposition(matrix.transpose().mmul(matrix)).lowerTriangularMatrix;
  return matrix.mmul(lowerInverse(lower).transpose());
}

/** L⁻¹ by forward substitution, column by column. */
function lowerInverse(lower: Matrix): Matrix {
  const size = lower.rows;
  const inverse = Matrix.zeros(size, size);
  for (let column = 0; column < size; column++) {
    inverse.set(column, column, 1 / lower.get(column, column));
    for (let row = column + 1; row < size; row++) {
      let sum = 0;
      for (let at = column; at < row; at++) sum += lower.get(row, at) * inverse.get(at, column);
      inverse.set(row, column, -sum / lower.get(row, row));
    }
  }
  return inverse;
}

/** tr(AᵀB) */
function traceOfProduct(a: Matrix, b: Matrix): number {
  return Matrix.mul(a, b).sum();
}
