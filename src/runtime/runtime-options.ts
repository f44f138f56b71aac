/** Where a graph can be computed: ONNX Runtime's execution providers by their own names. */
export const DEVICES = ["cpu", "cuda", "webgpu"] as const;

/** One of {@link DEVICES}. */
export type Device = (typeof DEVICES)[number];

/** In which operators a graph is computed; see {@link RuntimeOptions.lowering}. */
export const LOWERINGS = ["native", "portable"] as const;

/** One of {@link LOWERINGS}. */
export type Lowering = (typeof LOWERINGS)[number];

/** Where and how a program runs. */
export interface RuntimeOptions {
  /** `cpu` when left out. The same graph runs on all; only sums are rounded in another order. */
  readonly device?: Device;
  /** Threads inside one operator; all cores when left out. Results are bit-identical for equal counts only. */
  readonly threads?: number;
  /** Let idle threads spin: 10–30 % faster on a machine of one's own, much slower where cores are shared. */
  readonly spinning?: boolean;
  /**
   * `native` (when left out) uses the engine's own operators for this machine where a probe finds that they work: convolutions on
   * blocked channels. `portable` keeps to standard ones. Sums are rounded in another order.
   */
  readonly lowering?: Lowering;
  /** Graphs are computed in float32; `mixed` (16 bits where they do) is refused until they are not. */
  readonly precision?: "float32" | "mixed" | undefined;
}
