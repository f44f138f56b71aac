import type { ColumnMetaData, PageHeader } from "hyparquet";
import { decompressPage } from "hyparquet/src/datapage.js";
import { readVarInt } from "hyparquet/src/thrift.js";
import { parquetDecoders } from "./parquet-decoders.ts";

/** A definition level of a column that holds one value a row is 0 or 1. */
const LEVEL_BITS = 1;

/**
 * True when a data page of a flat column holds no run of more equal values than the page has values. The reader writes a run out
 * before it looks how many are wanted: a page of a few bytes could claim two thousand million.
 *
 * @param packed - the page after its header
 * @param isOptional - whether values may be absent, so that levels stand before them
 * Source: Apache Parquet format, "Run length encoding / bit-packing hybrid".
 */
export function hasSoundRuns(
  packed: Uint8Array,
  header: PageHeader,
  { codec, type }: Pick<ColumnMetaData, "codec" | "type">,
  isOptional: boolean,
): boolean {
  const { data_page_header: first, data_page_header_v2: second, uncompressed_page_size: size } = header;
  const page = first ?? second;
  if (page === undefined) return true;
  const count = page.num_values;
  const isInRuns = page.encoding.endsWith("_DICTIONARY") || page.encoding === "RLE";
  if (second !== undefined) {
    // Levels stand in front, never packed; repetition levels have no place in a flat column.
    const levelBytes = second.definition_levels_byte_length;
    if (second.repetition_levels_byte_length !== 0 || !(levelBytes >= 0 && levelBytes <= packed.length))
      return false;
    if (!(second.num_nulls >= 0 && second.num_nulls <= count)) return false;
    if (isOptional && !isSound(packed, 0, LEVEL_BITS, count)) return false;
    if (!isInRuns) return true;
    const rest = packed.subarray(levelBytes);
    const values =
      second.is_compressed === false ? rest : decompressPage(rest, size - levelBytes, codec, parquetDecoders);
    return hasSoundValues(values, 0, type, count);
  }
  if (!isOptional && !isInRuns) return true;
  const values = decompressPage(packed, size, codec, parquetDecoders);
  if (!isOptional) return hasSoundValues(values, 0, type, count);
  // The length of the levels in four bytes, then the levels.
  if (values.length < 4) return false;
  const levelBytes = new DataView(values.buffer, values.byteOffset).getUint32(0, true);
  return (
    isSound(values, 4, LEVEL_BITS, count) &&
    (!isInRuns || hasSoundValues(values, 4 + levelBytes, type, count))
  );
}

function hasSoundValues(
  values: Uint8Array,
  start: number,
  type: ColumnMetaData["type"],
  count: number,
): boolean {
  // Truth values: a length in four bytes, one bit each. Numbers of words in a dictionary: a byte that says how many bits.
  if (type === "BOOLEAN") return isSound(values, start + 4, 1, count);
  const bits = values[start] ?? 0;
  return bits === 0 || isSound(values, start + 1, bits, count);
}

/** Walks over runs until `count` values are seen or the bytes end. */
function isSound(bytes: Uint8Array, start: number, bits: number, count: number): boolean {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: start };
  for (let seen = 0; seen < count && reader.offset < bytes.length; ) {
    const header = readVarInt(reader);
    const length = header >>> 1;
    if (header & 1) {
      // Groups of eight values, packed bit by bit.
      seen += 8 * length;
      reader.offset += bits * length;
    } else {
      if (length > count) return false;
      seen += length;
      reader.offset += Math.ceil(bits / 8);
    }
  }
  return true;
}
