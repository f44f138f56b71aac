import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeUpdate } from "../../src/history/update-codec.ts";
import { digestArrays } from "../../src/kernel/digest.ts";
import type { Key } from "../../src/kernel/key.ts";
import { layoutOf, type TensorLayout } from "../../src/kernel/layout.ts";

interface Golden {
  readonly tensors: readonly TensorLayout[];
  readonly key: readonly number[];
  readonly round: number;
  readonly client: string;
  readonly records: readonly {
    readonly name: string;
    readonly record: string;
    readonly decoded: string;
    readonly earlier?: { readonly round: number; readonly record: string };
  }[];
}

// The first file holds what was written with the coder `adaptive-1`.
describe.each(["first-history-records.json", "history-records.json"])("records in %s", (name) => {
  const file = new URL(name, import.meta.url);
  const { tensors, key, round, client, records } = JSON.parse(readFileSync(file, "utf8")) as Golden;
  const layout = layoutOf(tensors);

  it.each(records)("still decode to the same bits: $name", ({ record, decoded, earlier }) => {
    const out = new Float32Array(layout.length);
    const frame = { layout, key: Uint32Array.from(key) as Key };
    decodeUpdate(bytesOf(record), frame, { round, client }, out, undefined, (at) =>
      at === earlier?.round ? bytesOf(earlier.record) : undefined,
    );
    expect(digestArrays(new Map([["update", out]]))).toBe(decoded);
  });
});

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
