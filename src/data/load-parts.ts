import type { Dataset } from "./dataset.ts";
import { loadDataset } from "./index.ts";
import type { Normaliser } from "./normaliser.ts";
import { type DataParts, divideDataset, normalisedParts, type PartSizes } from "./parts.ts";

/** Which data a run takes, how they are divided and what their features are scaled by. */
export interface PartsSource extends PartSizes {
  /** As `--data` names them. */
  readonly data: string;
  /** As the files have them when left out. */
  readonly normaliser?: Normaliser | undefined;
}

/**
 * The parts of the data a run was trained on.
 *
 * @throws LETHE_USAGE_PARTS, LETHE_DATA_MISSING, and what loading the data throws
 */
export async function loadParts(
  source: PartsSource,
): Promise<{ readonly dataset: Dataset; readonly parts: DataParts }> {
  const dataset = await loadDataset(source.data);
  const raw = divideDataset(dataset, source);
  return {
    dataset,
    parts: source.normaliser === undefined ? raw : normalisedParts(raw, source.normaliser),
  };
}
