import { LetheError } from "../kernel/errors.ts";
import type { CodecConfig } from "./config.ts";
import { MEAN } from "./encode-round.ts";
import type { FindRecord, RoundEntries, RoundEntry } from "./entry.ts";
import { type CodecFrame, decodeUpdate } from "./update-codec.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

/** Decodes one client of a round after another. */
export interface RoundDecoder {
  /**
   * Decodes an entry into `out`.
   *
   * @param out - [layout.length], overwritten
   * @returns false, and leaves `out` alone, where nothing is stored (`unsampled`, `absent`, `erased`, `dropped`)
   * @throws LETHE_INTEGRITY_RECORD naming the round and the client
   */
  decode(entry: RoundEntry, out: Float32Array): boolean;
}

/**
 * Opens a round for decoding: a pure function of the stored bytes, to be used in any worker.
 *
 * @param findRecord - needed with `temporal` thresholding and with rotation only
 * @param workspace - to be given again for the next round
 */
export function openRound(
  { round, mean }: Pick<RoundEntries, "round" | "mean">,
  frame: CodecFrame,
  config: CodecConfig,
  findRecord: FindRecord,
  workspace: Workspace = createWorkspace(),
): RoundDecoder {
  const isRelative = config.threshold.mode === "mean" || config.threshold.mode === "element";
  const { parameterLength, length } = frame.layout;
  let decodedMean: Float32Array | undefined;
  const meanUpdate = (): Float32Array => {
    if (decodedMean) return decodedMean;
    if (!mean) throw missing(round, "round mean");
    const update = new Float32Array(length);
    decodeUpdate(mean, frame, { round, client: MEAN }, update, workspace);
    decodedMean = update;
    return update;
  };
  return {
    decode({ client, status, reference, record }, out) {
      switch (status) {
        case "stored": {
          if (!record) throw missing(round, client);
          decodeUpdate(record, frame, { round, client }, out, workspace, (at) => findRecord(at, client));
          if (!isRelative) return true;
          const average = meanUpdate();
          for (let index = 0; index < parameterLength; index++) {
            out[index] = (out[index] as number) + (average[index] as number);
          }
          return true;
        }
        case "held": {
          const held = reference === undefined ? undefined : findRecord(reference, client);
          if (!held || reference === undefined) throw missing(round, client);
          decodeUpdate(held, frame, { round: reference, client }, out, workspace, (at) =>
            findRecord(at, client),
          );
          return true;
        }
        case "average":
          out.set(meanUpdate());
          return true;
        case "unsampled":
        case "absent":
        case "erased":
        case "dropped":
          return false;
        default:
          return status satisfies never;
      }
    },
  };
}

function missing(round: number, client: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_RECORD_MISSING",
    `Expected a record of client "${client}" for round ${round}, got none: the history is damaged. Restore a copy.`,
    { details: { round, client } },
  );
}
