import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Compressors } from "hyparquet";
import { compressors } from "hyparquet-compressors";

const within = (outputLength: number) => ({ maxOutputLength: Math.max(1, outputLength) });

/** By packing. Node's own decoders are several times as fast and stop at the length the page declares. */
export const parquetDecoders: Compressors = {
  ...compressors,
  BROTLI: (input, outputLength) => brotliDecompressSync(input, within(outputLength)),
  GZIP: (input, outputLength) => gunzipSync(input, within(outputLength)),
  ZSTD: (input, outputLength) => zstdDecompressSync(input, within(outputLength)),
};
