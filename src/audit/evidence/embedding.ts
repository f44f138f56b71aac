import { UMAP } from "umap-js";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import { drawRows } from "../../metrics/attacks/draw-rows.ts";
import { symmetricEigen } from "../../runtime/linear-algebra/symmetric-eigen.ts";
import type { FeatureRows } from "../../training/features/features.ts";
import type { AuditedModels } from "../audit.ts";
import type { ScoredModel } from "../scored-model.ts";
import { type OfAudited, ofAudited } from "./of-audited.ts";

/** Two-dimensional maps of what goes into the last layer, of the same samples in the same order for each model. */
export interface EmbeddingEvidence {
  readonly samples: readonly { readonly set: "forget" | "test"; readonly label: number }[];
  /** Principal components; each model has its own. */
  readonly pca: OfAudited<readonly MapPoint[]>;
  readonly umap: OfAudited<readonly MapPoint[]>;
  /** Share of the variance that the two components hold. */
  readonly explained: OfAudited<number>;
  /** Share of a sample's nearest neighbours, in all dimensions, that are of its class. */
  readonly neighbours: OfAudited<{ readonly forget: number; readonly test: number }>;
}

/** A place on a map. */
export type MapPoint = readonly [x: number, y: number];

/** Dots a reader can tell apart on a panel of a page's width. */
const MOST = { forget: 80, test: 160 } as const;
/** Neighbours: the default of UMAP, and enough for shares in tenths. */
const NEIGHBOURS = 10;
/** Rounds of UMAP's layout: what its authors' code takes for small data. */
const EPOCHS = 500;

/**
 * Maps of the features by principal components and by UMAP (umap-js); nothing for models without a dense last layer.
 *
 * @param key - decides the samples drawn and UMAP's start
 * Source: L. McInnes, J. Healy, J. Melville 2018, arXiv 1802.03426 (UMAP).
 */
export function embeddingOf(
  { original, unlearned, retrained, sets }: AuditedModels,
  key: Key,
): EmbeddingEvidence | undefined {
  const models = { original, unlearned, retrained: retrained[0] as ScoredModel };
  const drawn = {
    forget: drawRows(key, "forget", sets.forget.count, MOST.forget),
    test: drawRows(key, "test", sets.test.count, MOST.test),
  };
  const samples = (["forget", "test"] as const).flatMap((set) =>
    Array.from(drawn[set], (row) => ({ set, label: sets[set].labels[row] as number })),
  );
  const tables = ofAudited((id) => {
    const { features } = models[id];
    return features && [...rowsOf(features.forget, drawn.forget), ...rowsOf(features.test, drawn.test)];
  });
  const { original: a, unlearned: b, retrained: c } = tables;
  if (a === undefined || b === undefined || c === undefined || samples.length <= NEIGHBOURS) return undefined;
  const rows = { original: a, unlearned: b, retrained: c };
  const components = ofAudited((id) => principalComponents(rows[id]));
  return {
    samples,
    pca: ofAudited((id) => components[id].points),
    umap: ofAudited((id) => umapPoints(rows[id], deriveKey(key, "umap", id))),
    explained: ofAudited((id) => components[id].explained),
    neighbours: ofAudited((id) => {
      const shares = neighbourShares(rows[id], samples);
      return { forget: shares("forget"), test: shares("test") };
    }),
  };
}

function rowsOf({ rows, size }: FeatureRows, drawn: Uint32Array): readonly number[][] {
  return Array.from(drawn, (row) => Array.from(rows.subarray(row * size, (row + 1) * size)));
}

/** Scores on the first two components, by the eigenvectors of the centred rows' products: few rows, many columns. */
function principalComponents(rows: readonly number[][]): { points: readonly MapPoint[]; explained: number } {
  const count = rows.length;
  const means = (rows[0] ?? []).map(
    (_, at) => rows.reduce((sum, row) => sum + (row[at] as number), 0) / count,
  );
  const centred = rows.map((row) => row.map((value, at) => value - (means[at] as number)));
  const gram = centred.flatMap((a) => centred.map((b) => dot(a, b)));
  const { values, vectors } = symmetricEigen(count, gram);
  const scale = (component: number): number => Math.sqrt(Math.max(0, values[component] as number));
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  return {
    points: centred.map((_, row) => [
      rounded((vectors[row * count] as number) * scale(0)),
      rounded((vectors[row * count + 1] as number) * scale(1)),
    ]),
    explained: total === 0 ? 0 : ((values[0] as number) + (values[1] as number)) / total,
  };
}

function umapPoints(rows: readonly number[][], key: Key): readonly MapPoint[] {
  const stream = randomStream(key);
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors: NEIGHBOURS,
    nEpochs: EPOCHS,
    random: () => stream.uniform(),
  });
  return umap.fit([...rows]).map(([x, y]) => [rounded(x as number), rounded(y as number)]);
}

function neighbourShares(
  rows: readonly number[][],
  samples: EmbeddingEvidence["samples"],
): (set: "forget" | "test") => number {
  const shares = rows.map((row, at) => {
    const nearest = rows
      .map((other, index) => ({ index, distance: squaredDistance(row, other) }))
      .filter(({ index }) => index !== at)
      .sort((a, b) => a.distance - b.distance)
      .slice(0, NEIGHBOURS);
    return nearest.filter(({ index }) => samples[index]?.label === samples[at]?.label).length / NEIGHBOURS;
  });
  return (set) => {
    const own = shares.filter((_, at) => samples[at]?.set === set);
    return own.reduce((sum, share) => sum + share, 0) / own.length;
  };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}

function squaredDistance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + (value - (b[at] as number)) ** 2, 0);
}

/** Three decimals are finer than a dot, and keep the page small. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
