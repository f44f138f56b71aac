import type { Samples } from "../../data/dataset.ts";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";

/**
 * Which samples are in each slice of each shard, [shard][slice], positions ascending.
 *
 * A sample's place depends on the key and on its subject's name (its own id where nobody is named), on no other sample: taking
 * samples away moves none of the others, and all samples about one person are in one slice of one shard.
 */
export function assignSlices(
  samples: Samples,
  { shards, slices }: { readonly shards: number; readonly slices: number },
  key: Key,
): readonly (readonly Uint32Array[])[] {
  const placeOf = new Map<string, number>();
  const places: number[][] = Array.from({ length: shards * slices }, () => []);
  for (let position = 0; position < samples.count; position++) {
    const subject = samples.subject(position);
    const name = subject === undefined ? `sample ${samples.id(position)}` : `subject ${subject}`;
    const place = placeOf.get(name) ?? randomStream(deriveKey(key, name)).below(shards * slices);
    placeOf.set(name, place);
    (places[place] as number[]).push(position);
  }
  return Array.from({ length: shards }, (_, shard) =>
    places.slice(shard * slices, (shard + 1) * slices).map((positions) => Uint32Array.from(positions)),
  );
}
