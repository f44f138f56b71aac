import type { Key } from "../../kernel/key.ts";
import type { Plane } from "../coding/plane.ts";
import type { Workspace } from "../workspace.ts";

/** What a quantiser works on: the coordinates of one update that are not masked as zero, and where they stand. */
export interface QuantiserInput {
  /** Finite numbers, plane after plane, row-major. */
  readonly values: Float32Array; // [count]
  /** One matrix per tensor; their sizes sum to `count`. */
  readonly planes: readonly Plane[];
  /** Key of this update's dither. No two updates share one. */
  readonly dither: Key;
}

/** {@link QuantiserInput} without the values, for the reader. */
export type QuantiserFrame = Omit<QuantiserInput, "values"> & {
  readonly count: number;
  readonly workspace: Workspace;
};

/**
 * One way of turning the coordinates of an update into bytes and back. A further one is one file with one value of this
 * type and a line in `index.ts`; `latticeQuantiser` builds the common kind, others code as they like.
 */
export interface Quantiser {
  /** Permanent name, in configurations and reports. */
  readonly id: string;
  /** Permanent number, in records: 1 to 255. */
  readonly wireId: number;
  readonly title: string;
  /** True when `step` sets the rate; otherwise there is one rate only and the step is ignored. */
  readonly hasStep: boolean;
  /**
   * E(error²) per coordinate in units of step², exact for a subtractively dithered lattice; undefined where the error
   * depends on the values.
   */
  readonly errorPerSquaredStep?: number;
  /**
   * Prepares an update for coding at one or several steps: rate control tries a few. No value is above 2^23 steps.
   */
  prepare(input: QuantiserInput): (step: number) => Uint8Array;
  /**
   * Reads `bytes` into `out`, a pure function of its arguments on every machine: + − × ÷ on doubles, integer arithmetic
   * and rounding to float32 only.
   *
   * @throws LETHE_INTEGRITY_… for bytes that no encoder has written
   */
  decode(bytes: Uint8Array, frame: QuantiserFrame, step: number, out: Float32Array): void;
}
