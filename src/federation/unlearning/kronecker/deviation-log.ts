import type { Deviations, RoundDeviation } from "../deviations.ts";

/** One round's d_t; `undefined` where no leaver's part is known. */
export interface LoggedDeviation {
  readonly round: number;
  readonly deviation: Float32Array | undefined;
}

/** Keeps d_t of a pass for a second look, while they fit in memory. */
export interface DeviationLog {
  add(round: RoundDeviation): void;
  /** The rounds in order: from memory, or by another pass over the history when they did not fit. */
  replay(deviations: Deviations): AsyncGenerator<LoggedDeviation, void, void>;
}

/** Decoding a history costs more than all arithmetic on it, so d_t is kept if T·model·4 bytes are within the limit. */
export function deviationLog(limitBytes: number): DeviationLog {
  const kept: LoggedDeviation[] = [];
  let bytes = 0;
  const fits = (): boolean => bytes <= limitBytes;
  return {
    add({ round, deviation, isCorrected }) {
      if (isCorrected) bytes += deviation.byteLength;
      if (!fits()) kept.length = 0;
      else kept.push({ round, deviation: isCorrected ? deviation.slice() : undefined });
    },
    async *replay(deviations) {
      if (fits()) {
        yield* kept;
        return;
      }
      for await (const { round, deviation, isCorrected } of deviations.pass()) {
        yield { round, deviation: isCorrected ? deviation : undefined };
      }
    },
  };
}
