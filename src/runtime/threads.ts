/** Below this many operations a run is over before other threads have woken up: measured on 2 cores, one thread wins. */
const SMALL_RUN_FLOPS = 100e6;

/** Threads this process or page may use. */
export function availableThreads(): number {
  return navigator.hardwareConcurrency;
}

/**
 * Threads that suit a program: one for small runs, all cores for others, unless the user said otherwise.
 *
 * @param flops - dense floating-point operations of one run
 */
export function threadsFor(flops: number, asked: number | undefined): number {
  return asked ?? (flops < SMALL_RUN_FLOPS ? 1 : availableThreads());
}
