import type { Samples } from "../data/dataset.ts";
import { throwIfCancelled } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import { deriveKey, keyFromSeed } from "../kernel/key.ts";
import type { Architecture } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import type { AuditedModels } from "./audit.ts";
import { type ClassRow, classesOf } from "./evidence/classes.ts";
import { type ConfusionEvidence, confusionOf } from "./evidence/confusion.ts";
import { type EmbeddingEvidence, embeddingOf } from "./evidence/embedding.ts";
import { type GroupRow, groupsOf } from "./evidence/groups.ts";
import { type InversionEvidence, inversionOf } from "./evidence/inversion.ts";
import { type LayerRow, layersOf } from "./evidence/layers.ts";
import { type MarginHistograms, marginsOf } from "./evidence/margins.ts";
import type { OfAudited } from "./evidence/of-audited.ts";
import { type PictureEvidence, picturesOf } from "./evidence/pictures.ts";
import { type RocLine, rocOf } from "./evidence/roc.ts";
import { type SampleScatter, sampleScatter } from "./evidence/sample-scatter.ts";

/** What an audit's plots are drawn from. Beside the pictures, which a caller may refuse, no sample can be told from it. */
export interface AuditEvidence {
  readonly roc: OfAudited<RocLine>;
  readonly margins: MarginHistograms;
  readonly classes: readonly ClassRow[];
  readonly groups?: readonly GroupRow[] | undefined;
  readonly confusion?: ConfusionEvidence | undefined;
  readonly scatter?: SampleScatter | undefined;
  readonly embedding?: EmbeddingEvidence | undefined;
  readonly layers?: readonly LayerRow[] | undefined;
  readonly pictures?: PictureEvidence | undefined;
  readonly inversion?: InversionEvidence | undefined;
}

/** What the evidence is gathered from besides the scored models. */
export interface EvidenceRequest {
  readonly architecture: Architecture;
  readonly train: Samples;
  readonly forget: Uint32Array;
  /** Whether images of samples, and what inversion makes of models, may be shown. */
  readonly showsPictures: boolean;
  readonly runtime: RuntimeOptions;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The material of an audit's plots. What does not apply is left out: maps and layers of models without dense layers, pictures of tables, groups
 * of data without attributes, a curve where no unseen sample is of a forgotten class.
 *
 * @throws LETHE_CANCELLED
 */
export async function* gatherEvidence(
  models: AuditedModels,
  { architecture, showsPictures, runtime, signal, ...data }: EvidenceRequest,
): Progress<AuditEvidence> {
  const { weights, sets } = models;
  const key = deriveKey(keyFromSeed("audit evidence"), "draw");
  yield { type: "phase", name: "Drawing", index: 0, of: 1 };
  const own = {
    roc: rocOf(models),
    margins: marginsOf(models),
    classes: classesOf(models, data),
    groups: groupsOf(models, data),
    confusion: confusionOf(models),
    scatter: sampleScatter(models),
  };
  throwIfCancelled(signal);
  const embedding = embeddingOf(models, key);
  throwIfCancelled(signal);
  const layers = await layersOf(architecture, weights, sets, runtime);
  throwIfCancelled(signal);
  if (!showsPictures) return { ...own, embedding, layers };
  const inversion = await inversionOf(architecture, weights, sets, key, runtime);
  return { ...own, embedding, layers, pictures: picturesOf(models), inversion };
}
