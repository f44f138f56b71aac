import type { Json } from "../kernel/canonical-json.ts";
import { type Digest, digestBytes, digestJson } from "../kernel/digest.ts";
import type { RoundEntry } from "./entry.ts";
import type { HistoryHeader } from "./store.ts";

/** Digest of the header: the first link of the chain. */
export function digestHeader(header: HistoryHeader): Digest {
  return digestJson({
    layout: header.layout.slots.map(({ name, shape, role }) => ({ name, shape, role })),
    codec: header.codec,
    key: Array.from(header.key),
    facts: header.facts,
    initialWeights: digestFloats(header.initialWeights),
  });
}

/** Digest of one client's entry. It is all that stays of an erased one, so that later links can still be checked. */
export function digestEntry(entry: RoundEntry): Digest {
  return digestJson({
    client: entry.client,
    weight: entry.weight,
    status: entry.status,
    reference: entry.reference,
    record: entry.record && digestBytes(entry.record),
  });
}

/** What a link of the chain is made of. */
export interface RoundLink {
  readonly previous: Digest;
  readonly round: number;
  readonly metadata: Json;
  readonly mean: Uint8Array | undefined;
  readonly weights: Digest;
  readonly checkpoint: Digest | undefined;
  /** Of all entries, in the store's order. */
  readonly entries: readonly Digest[];
}

/** Digest of a round and of all before it. */
export function digestRound(link: RoundLink): Digest {
  return digestJson({ ...link, mean: link.mean && digestBytes(link.mean) });
}

/** Digest of float32 numbers, little-endian. */
export function digestFloats(values: Float32Array): Digest {
  return digestBytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}
