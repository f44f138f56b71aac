import { type QuantiserId, quantisers } from "../src/history/quantisers/index.ts";
import { rotationFrom } from "../src/history/rotation/rotation.ts";
import { decodeUpdate, type EncodeOptions, encodeUpdate } from "../src/history/update-codec.ts";
import { createWorkspace } from "../src/history/workspace.ts";
import { crc32 } from "../src/kernel/crc32.ts";
import { isLetheError } from "../src/kernel/errors.ts";
import { deriveKey, keyFromSeed, type RandomStream, randomStream } from "../src/kernel/key.ts";
import { layoutOf } from "../src/kernel/layout.ts";

/**
 * Decodes mutated records and counts what came of it. Usage: node bench/fuzz-history.ts [RECORDS] [SEED]
 *
 * Half of the mutants keep the old checksum: all of them must be refused. The other half get a fresh, valid one, as an
 * attacker would give them: they must be refused or decode to finite numbers, quickly and in little memory. Every mutant is
 * decoded in the kernel and in plain TypeScript, which must agree to the bit. Ends with 1 on a disagreement, a silent wrong output, an error of another kind, a decode of more than a second, or more than 100 times the
 * layout's bytes of memory at once.
 */
const RECORDS = Number(process.argv[2] ?? 100_000);
const SEED = Number(process.argv[3] ?? 1);
const SLOW_MS = 1000;
const MOST_MEMORY = 100;

const layout = layoutOf([
  { name: "conv", shape: [6, 2, 3, 3], role: "parameter" },
  { name: "dense", shape: [20, 15], role: "parameter" },
  { name: "bias", shape: [20], role: "parameter" },
  { name: "running", shape: [6], role: "buffer" },
]);
const frame = { layout, key: keyFromSeed(1) };
const [fast, plain] = [createWorkspace(), createWorkspace(null)];
const identity = { round: 3, client: "anna" };
const EARLIER = { round: 2, client: "anna" };
/** The axes of rotated records, as a reader would find them. */
const axes = original({ quantiser: "z", rate: { bitsPerParameter: 3 } }, EARLIER);
const reference = { round: EARLIER.round, rotation: rotationFrom(axes.decoded, layout) };
/** Near to every update here, so that prediction is worth it. */
const predicted = {
  round: EARLIER.round,
  update: original({ quantiser: "none", rate: { bitsPerParameter: 32 } }).decoded,
};
/** Every quantiser, at several rates, and the other stages with some. */
const originals = [
  ...(Object.keys(quantisers) as QuantiserId[]).flatMap((quantiser) =>
    [0.5, 2, 6].flatMap((bitsPerParameter) =>
      [false, true].map((sparse) => original({ quantiser, rate: { bitsPerParameter }, sparse })),
    ),
  ),
  ...(["z", "e8", "tcq8", "deadzone", "dq8"] as const).flatMap((quantiser) => [
    original({ quantiser, rate: { bitsPerParameter: 2 }, coder: "rans" }),
    original({ quantiser, rate: { bitsPerParameter: 2 }, reference }),
    original({ quantiser, rate: { bitsPerParameter: 2 }, reference: predicted }),
  ]),
  ...(["z", "a2", "d4", "e8"] as const).map((quantiser) =>
    original({ quantiser, rate: { fixedBits: 4 }, dither: "non-subtractive" }),
  ),
];
const counts = { refused: 0, decodedForged: 0, unchanged: 0 };
const failures: string[] = [];
let slowestMs = 0;
let mostBytes = 0;

for (let index = 0; index < RECORDS && failures.length < 10; index++) {
  const stream = randomStream(deriveKey(keyFromSeed(SEED), index));
  const source = originals[stream.below(originals.length)] as { record: Uint8Array; decoded: Float32Array };
  const isForged = stream.uniform() < 0.5;
  const mutant = mutate(source.record, stream);
  if (isForged && mutant.length >= 4) sign(mutant);
  // Every 256th decode is measured alone: asking for the memory is slow itself.
  const before = index % 256 === 0 ? memory() : undefined;
  const start = performance.now();
  const out = new Float32Array(layout.length);
  try {
    decodeUpdate(mutant, frame, identity, out, fast, findRecord);
    if (!out.every(Number.isFinite)) failures.push(`${index}: decoded to numbers that are not finite`);
    else if (Buffer.compare(mutant, source.record) === 0) counts.unchanged++;
    else if (isForged) counts.decodedForged++;
    else failures.push(`${index}: a changed record with the old checksum was accepted`);
  } catch (error) {
    if (isLetheError(error, "integrity") && error.message.includes('client "anna" in round 3'))
      counts.refused++;
    else failures.push(`${index}: ${error}`);
  }
  const elapsedMs = performance.now() - start;
  if (!agrees(mutant, out)) failures.push(`${index}: the kernel and TypeScript disagree`);
  slowestMs = Math.max(slowestMs, elapsedMs);
  if (elapsedMs > SLOW_MS) failures.push(`${index}: took ${elapsedMs.toFixed(0)} ms`);
  if (before !== undefined) mostBytes = Math.max(mostBytes, memory() - before);
}
if (mostBytes > MOST_MEMORY * 4 * layout.length + 2 ** 20)
  failures.push(`${mostBytes} bytes of memory at once`);
console.log(JSON.stringify({ records: RECORDS, ...counts, slowestMs, mostBytes, failures }));
process.exitCode = failures.length > 0 ? 1 : 0;

function original(options: EncodeOptions, who = identity) {
  const { sparse = false } = options;
  const stream = randomStream(deriveKey(keyFromSeed(2), String(sparse)));
  const update = Float32Array.from({ length: layout.length }, (_, index) =>
    index % 15 === 4 || (sparse && stream.uniform() < 0.8) ? 0 : stream.normal(),
  );
  const { record } = encodeUpdate(update, frame, who, options);
  const decoded = new Float32Array(layout.length);
  decodeUpdate(record, frame, who, decoded, undefined, findRecord);
  return { record, decoded };
}

/** Whether the plain TypeScript refuses what was refused, which leaves zeros or a part, and else decodes to the same bits. */
function agrees(mutant: Uint8Array, decoded: Float32Array): boolean {
  const other = new Float32Array(layout.length);
  try {
    decodeUpdate(mutant, frame, identity, other, plain, findRecord);
  } catch (error) {
    if (!isLetheError(error, "integrity")) return false;
    return isRefused(mutant);
  }
  return Buffer.compare(Buffer.from(other.buffer), Buffer.from(decoded.buffer)) === 0;
}

function isRefused(mutant: Uint8Array): boolean {
  try {
    decodeUpdate(mutant, frame, identity, new Float32Array(layout.length), fast, findRecord);
    return false;
  } catch {
    return true;
  }
}

function findRecord(round: number): Uint8Array | undefined {
  return round === EARLIER.round ? axes.record : undefined;
}

function mutate(record: Uint8Array, stream: RandomStream): Uint8Array {
  const bytes = record.slice();
  const changes = 1 + stream.below(4);
  for (let change = 0; change < changes; change++) {
    // Every second change hits the header, where the lies are.
    const at = stream.below(stream.below(2) === 0 ? Math.min(40, bytes.length) : bytes.length);
    switch (stream.below(4)) {
      case 0:
        bytes[at] = (bytes[at] as number) ^ (1 << stream.below(8));
        break;
      case 1:
        bytes[at] = stream.below(256);
        break;
      case 2:
        bytes.fill(stream.below(2) === 0 ? 0 : 255, at, at + 1 + stream.below(8));
        break;
      default:
        bytes.copyWithin(at, stream.below(bytes.length), stream.below(bytes.length));
    }
  }
  switch (stream.below(8)) {
    case 0:
      return bytes.slice(0, stream.below(bytes.length));
    case 1:
      return Uint8Array.from([
        ...bytes,
        ...Array.from({ length: 1 + stream.below(20) }, () => stream.below(256)),
      ]);
    default:
      return bytes;
  }
}

function sign(bytes: Uint8Array): void {
  const end = bytes.length - 4;
  new DataView(bytes.buffer).setUint32(end, crc32(bytes.subarray(0, end)), true);
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
