/**
 * Mutates small models (CNNs, a perceptron of scikit-learn's, one with functions and weights in another file), reads them and
 * writes them again; by turns changed byte by byte and changed field by field, which gets past the file format to the shape
 * rules: `node bench/fuzz-onnx.ts [mutations] [seed]`.
 *
 * Every outcome has to be a model or an error of kind data or integrity, in bounded time and memory. Exits with 1 otherwise.
 */
import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { operators } from "../src/autodiff/operators/index.ts";
import { isLetheError } from "../src/kernel/errors.ts";
import { keyFromSeed, type RandomStream, randomStream } from "../src/kernel/key.ts";
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataLocation,
} from "../src/onnx/proto/onnx_pb.js";
import { parseModel, readModel } from "../src/onnx/read-model.ts";
import type { ExternalFile } from "../src/onnx/read-tensor.ts";
import { rewriteModel } from "../src/onnx/rewrite-model.ts";

/** Reading the file unharmed takes some milliseconds; this is a hang. */
const MOST_MS = 500;
/** Arrays kept by a model that was read, beyond this many bytes for each byte of the file, were asked for by the file. */
const MOST_BYTES_PER_BYTE = 64;

/** Sizes and settings that break what trusts them. */
const ODD_NUMBERS = [
  -(2n ** 63n),
  -9n,
  -1n,
  0n,
  1n,
  2n,
  3n,
  17n,
  65_536n,
  2n ** 31n - 1n,
  2n ** 40n,
  2n ** 63n - 1n,
];

const mutations = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
const random = randomStream(keyFromSeed(seed));
const fixtures = ["cnn-opset13.onnx", "cnn-opset17.onnx", "norm-training.onnx", "perceptron-binary.onnx"];
const files = [
  ...fixtures.map(
    (name) => new Uint8Array(readFileSync(new URL(`../test/fixtures/${name}`, import.meta.url))),
  ),
  functionsAndExternalData(),
];
/** The file beside the model. */
const EXTERNAL = new Uint8Array(256);

const outcomes = new Map<string, number>();
let slowestMs = 0;
let mostBytesPerByte = 0;
const failures: string[] = [];
const began = performance.now();
for (let round = 0; round < mutations; round++) {
  const file = files[random.below(files.length)] as Uint8Array;
  const bytes = round % 2 === 0 ? mutateBytes(file, random) : mutateFields(file, random);
  const before = process.memoryUsage();
  const start = performance.now();
  const outcome = read(bytes);
  slowestMs = Math.max(slowestMs, performance.now() - start);
  const after = process.memoryUsage();
  const grown = Math.max(0, after.arrayBuffers - before.arrayBuffers) / Math.max(bytes.length, 1);
  mostBytesPerByte = Math.max(mostBytesPerByte, grown);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  if (outcome.startsWith("crash")) failures.push(`mutation ${round}: ${outcome}`);
}
if (slowestMs > MOST_MS) failures.push(`a read took ${slowestMs.toFixed(0)} ms`);
if (mostBytesPerByte > MOST_BYTES_PER_BYTE)
  failures.push(`a read kept ${mostBytesPerByte.toFixed(0)} times its file`);

console.log(
  JSON.stringify(
    {
      mutations,
      seed,
      seconds: (performance.now() - began) / 1000,
      slowestMs,
      mostBytesPerByte,
      maxRssBytes: process.resourceUsage().maxRSS * 1024,
      outcomes: Object.fromEntries([...outcomes].sort(([, a], [, b]) => b - a)),
      failures: failures.slice(0, 20),
    },
    null,
    2,
  ),
);
if (failures.length > 0) process.exitCode = 1;

function read(bytes: Uint8Array): string {
  try {
    const { weights } = readModel(bytes, operators, { external });
    // External data are read when somebody looks.
    const tensors = new Map([...weights].map(([{ name }, { data }]) => [name, data as Float32Array]));
    rewriteModel(parseModel(bytes), { tensors }, external);
    return "read";
  } catch (error) {
    if (isLetheError(error, "data") || isLetheError(error, "integrity")) return error.code;
    return `crash: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** A reader that trusts the caller's bounds, as reading a file would not: out of them is a failure of ours. */
function external(location: string): ExternalFile {
  if (location === "") throw new Error("an empty path was opened");
  const read = (offset: number, length: number): Uint8Array => {
    if (offset < 0 || offset + length > EXTERNAL.length)
      throw new Error("external data was read out of bounds");
    return EXTERNAL.subarray(offset, offset + length);
  };
  return { length: EXTERNAL.length, read };
}

/** Two functions, one of which calls the other, on weights in another file, one of them in half precision. */
function functionsAndExternalData(): Uint8Array {
  const own = "own";
  const externalTensor = (
    name: string,
    dataType: number,
    dims: readonly bigint[],
    offset: string,
    length: string,
  ) => ({
    name,
    dataType,
    dims: [...dims],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: "location", value: "weights.bin" },
      { key: "offset", value: offset },
      { key: "length", value: length },
    ],
  });
  const info = (name: string) => ({
    name,
    type: {
      value: {
        case: "tensorType" as const,
        value: {
          elemType: 1,
          shape: {
            dim: [
              { value: { case: "dimParam" as const, value: "n" } },
              { value: { case: "dimValue" as const, value: 4n } },
            ],
          },
        },
      },
    },
  });
  const opsetImport = [
    { domain: "", version: 18n },
    { domain: own, version: 1n },
  ];
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport,
    functions: [
      {
        name: "Dense",
        domain: own,
        input: ["x", "w", "b"],
        output: ["y"],
        attribute: ["alpha"],
        opsetImport,
        node: [
          {
            opType: "Gemm",
            input: ["x", "w", "b"],
            output: ["y"],
            attribute: [{ name: "alpha", type: AttributeType.FLOAT, refAttrName: "alpha" }],
          },
        ],
      },
      {
        name: "Twice",
        domain: own,
        input: ["x", "w", "b"],
        output: ["y"],
        opsetImport,
        node: [
          { opType: "Dense", domain: own, input: ["x", "w", "b"], output: ["h"] },
          { opType: "Dense", domain: own, input: ["h", "w", "b"], output: ["y"] },
        ],
      },
    ],
    graph: {
      name: "functions",
      input: [info("x")],
      output: [info("y")],
      valueInfo: [info("h")],
      initializer: [externalTensor("w", 1, [4n, 4n], "0", "64"), externalTensor("b", 10, [4n], "64", "8")],
      node: [
        { opType: "Twice", domain: own, input: ["x", "w", "b"], output: ["h"] },
        { opType: "Identity", input: ["b"], output: ["c"] },
        { opType: "Dense", domain: own, input: ["h", "w", "c"], output: ["y"] },
      ],
    },
  });
  return toBinary(ModelProtoSchema, model);
}

/** One to four changes of operators, wiring, settings and sizes. */
function mutateFields(source: Uint8Array, draw: RandomStream): Uint8Array {
  const model = fromBinary(ModelProtoSchema, source);
  const { graph } = model;
  if (graph === undefined) return source;
  const pick = <T>(list: readonly T[]): T | undefined => list[draw.below(Math.max(1, list.length))];
  const odd = (): bigint => pick(ODD_NUMBERS) as bigint;
  const names = graph.node
    .flatMap((node) => node.output)
    .concat(graph.initializer.map((tensor) => tensor.name));
  for (let change = draw.below(4); change >= 0; change--) {
    const body = pick(model.functions);
    const node = pick([...graph.node, ...model.functions.flatMap((entry) => entry.node)]);
    const attribute = pick(node?.attribute ?? []);
    const tensor = pick(graph.initializer);
    if (node === undefined || tensor === undefined) break;
    switch (draw.below(model.functions.length > 0 ? 11 : 8)) {
      case 0:
        node.opType = pick([...operators.keys(), ...model.functions.map(({ name }) => name)]) ?? "";
        break;
      case 8: {
        const entry = pick(tensor.externalData);
        if (entry !== undefined) entry.value = pick([...ODD_NUMBERS.map(String), "", "..", "1e3", "x"]) ?? "";
        break;
      }
      case 9:
        if (body !== undefined) body.input[draw.below(4)] = pick(names) ?? "";
        if (body !== undefined) body.input = Array.from(body.input, (name) => name ?? "");
        break;
      case 10:
        tensor.dataType = draw.below(20);
        break;
      case 1:
        node.input[draw.below(4)] = pick(names) ?? "";
        break;
      case 2:
        node.output.push(`extra${change}`);
        break;
      case 3:
        node.attribute = node.attribute.filter((other) => other !== attribute);
        break;
      case 4:
        if (attribute !== undefined) attribute.i = odd();
        break;
      case 5:
        if (attribute !== undefined && attribute.ints.length > 0) {
          attribute.ints[draw.below(attribute.ints.length + 1)] = odd();
        }
        break;
      case 6:
        tensor.dims[draw.below(tensor.dims.length + 1)] = odd();
        break;
      default: {
        const shape = pick(graph.input)?.type?.value;
        const dim = shape?.case === "tensorType" ? pick(shape.value.shape?.dim ?? []) : undefined;
        if (dim !== undefined) dim.value = { case: "dimValue", value: odd() };
      }
    }
    node.input = Array.from(node.input, (name) => name ?? "");
  }
  return toBinary(ModelProtoSchema, model);
}

/** One to eight changes: a byte replaced, a bit turned, bytes removed, repeated or put in, the end cut off. */
function mutateBytes(source: Uint8Array, draw: RandomStream): Uint8Array {
  let bytes: Uint8Array = source.slice();
  for (let change = draw.below(8); change >= 0; change--) {
    // The weights are most of the file and take any bytes: half of the changes go to the nodes in front of them.
    const reach = draw.below(2) === 0 ? bytes.length : Math.min(bytes.length, 4096);
    if (reach === 0) return bytes;
    const at = draw.below(reach);
    const length = 1 + draw.below(16);
    const part = bytes.subarray(at, at + length);
    switch (draw.below(6)) {
      case 0:
        bytes[at] = draw.below(256);
        break;
      case 1:
        bytes[at] = (bytes[at] as number) ^ (1 << draw.below(8));
        break;
      case 2:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + length));
        break;
      case 3:
        bytes = joined(bytes.subarray(0, at), part, part, bytes.subarray(at + length));
        break;
      case 4:
        bytes = joined(
          bytes.subarray(0, at),
          Uint8Array.from({ length }, () => draw.below(256)),
          bytes.subarray(at),
        );
        break;
      default:
        if (draw.below(8) === 0) bytes = bytes.slice(0, at);
        else bytes[at] = 0xff;
    }
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
