import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
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

const file = new URL("./history-records.json", import.meta.url);
const { tensors, key, round, client, records } = JSON.parse(readFileSync(file, "utf8")) as Golden;
const layout = layoutOf(tensors);

it.each(records)(
  "a record written long ago still decodes to the same bits: $name",
  ({ record, decoded, earlier }) => {
    const out = new Float32Array(layout.length);
    const frame = { layout, key: Uint32Array.from(key) as Key };
    decodeUpdate(bytesOf(record), frame, { round, client }, out, undefined, (at) =>
      at === earlier?.round ? bytesOf(earlier.record) : undefined,
    );
    expect(digestArrays(new Map([["update", out]]))).toBe(decoded);
  },
);

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
