import { deflateSync } from "node:zlib";
import { crc32 } from "../kernel/crc32.ts";
import { LetheError } from "../kernel/errors.ts";

/**
 * A grey or coloured picture as a PNG file (8 bits a pixel, no filter, no metadata). The pixels are stored, not squeezed:
 * compressed bytes differ between zlib builds, stored ones are the same on every machine.
 *
 * @param pixels Row by row, 0 dark to 255 bright, `width * height * channels` of them; the channels of a pixel lie together.
 * @param channels 1 for grey, 3 for red, green and blue.
 * @throws LETHE_REPORT_PICTURE_SIZE when the number of pixels is another one.
 * @see Portable Network Graphics (PNG) Specification, W3C, sections 5 and 11.
 */
export function encodePng(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: 1 | 3 = 1,
): Uint8Array {
  const length = width * channels;
  if (pixels.length !== length * height || pixels.length === 0) {
    throw new LetheError(
      "data",
      "REPORT_PICTURE_SIZE",
      `Expected ${width} × ${height} × ${channels} = ${length * height} values (at least one), got ${pixels.length}. Give one byte a pixel and channel, row by row.`,
      { details: { width, height, pixels: pixels.length } },
    );
  }
  const scanlines = new Uint8Array(height * (length + 1)); // each row starts with its filter: 0, none
  for (let row = 0; row < height; row++) {
    scanlines.set(pixels.subarray(row * length, (row + 1) * length), row * (length + 1) + 1);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8; // bits a sample; compression, filter and interlace stay 0: deflate, standard, none
  header[9] = channels === 3 ? 2 : 0; // colour type: true colour, or grey
  return concatenate([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(scanlines, { level: 0 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Length, type, data, and the CRC of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = concatenate([new TextEncoder().encode(type), data]);
  const framed = new Uint8Array(body.length + 8);
  const view = new DataView(framed.buffer);
  view.setUint32(0, data.length);
  framed.set(body, 4);
  view.setUint32(body.length + 4, crc32(body));
  return framed;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
