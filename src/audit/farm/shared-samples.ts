import type { Samples } from "../../data/dataset.ts";
import { samplesOf } from "../../data/samples.ts";
import { type Digest, digestArrays } from "../../kernel/digest.ts";
import { sizeOf } from "../../kernel/layout.ts";

/** Samples in shared memory: every worker thread sees the same bytes, so that workers cost no memory for data. */
export interface SharedSamples {
  readonly count: number;
  readonly featureShape: readonly number[];
  readonly classCount: number;
  /** float32 [count, …featureShape] */
  readonly features: SharedArrayBuffer;
  /** int32 [count] */
  readonly labels: SharedArrayBuffer;
  /** int32 [count, …shape], of text */
  readonly targets?: { readonly shape: readonly number[]; readonly values: SharedArrayBuffer };
  /** By attribute: int32 [count] codes of its words. */
  readonly groups: Readonly<
    Record<string, { readonly codes: SharedArrayBuffer; readonly names: readonly string[] }>
  >;
  /** Of the shape and all numbers: two data sets with one digest train the same model. */
  readonly digest: Digest;
}

/**
 * Copies samples into shared memory. Ids and subjects stay behind: neither training nor any method reads them.
 *
 * Cost: 4 bytes a number, and one pass of SHA-256 over them.
 */
export function shareSamples(samples: Samples): SharedSamples {
  const { count, featureShape, featureLength, classCount } = samples;
  const all = Uint32Array.from({ length: count }, (_, position) => position);
  const features = sharedFloats(count * featureLength);
  samples.gather(all, features);
  const labels = sharedIntegers(samples.labels);
  const targets = samples.targets && { shape: samples.targets.shape, values: sharedTargets(samples, all) };
  const shape = Int32Array.from([count, classCount, ...featureShape]);
  return {
    count,
    featureShape,
    classCount,
    features: features.buffer,
    labels: labels.buffer,
    ...(targets && { targets: { shape: targets.shape, values: targets.values.buffer } }),
    groups: Object.fromEntries(samples.groupNames.map((name) => [name, sharedWords(samples, name)])),
    digest: digestArrays(
      new Map<string, ArrayBufferView>([
        ["shape", shape],
        ["features", features],
        ["labels", labels],
        ...(targets === undefined ? [] : [["targets", targets.values] as const]),
      ]),
    ),
  };
}

/** The samples in shared memory, nothing copied. */
export function openShared(shared: SharedSamples): Samples {
  const { featureShape, classCount, features, labels, targets, groups } = shared;
  return samplesOf({
    idPrefix: "shared",
    featureShape,
    features: { values: new Float32Array(features) },
    labels: new Int32Array(labels),
    classCount,
    ...(targets && { targets: { shape: targets.shape, values: new Int32Array(targets.values) } }),
    groups: Object.fromEntries(
      Object.entries(groups).map(([name, { codes, names }]) => [
        name,
        { codes: new Int32Array(codes), names },
      ]),
    ),
  });
}

function sharedWords(samples: Samples, attribute: string): SharedSamples["groups"][string] {
  const known = new Map<string, number>();
  const codes = Int32Array.from({ length: samples.count }, (_, position) => {
    const word = samples.groups(position)[attribute] ?? "";
    const code = known.get(word) ?? known.size;
    known.set(word, code);
    return code;
  });
  return { codes: sharedIntegers(codes).buffer, names: [...known.keys()] };
}

function sharedTargets({ targets, count }: Samples, all: Uint32Array): Int32Array<SharedArrayBuffer> {
  const gathered = new BigInt64Array(count * sizeOf(targets?.shape ?? []));
  targets?.gather(all, gathered);
  return sharedIntegers(Int32Array.from(gathered, Number));
}

function sharedFloats(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}

function sharedIntegers(values: Int32Array): Int32Array<SharedArrayBuffer> {
  const shared = new Int32Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}
