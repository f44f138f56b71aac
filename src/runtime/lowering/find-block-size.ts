import { operators } from "../../autodiff/operators/index.ts";
import { conv } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import { type ModelContents, writeModel } from "../../onnx/write-model.ts";
import type { Session } from "../session.ts";
import { withBlockedConvolutions } from "./blocked-convolution.ts";

/** Block sizes ONNX Runtime has: with AVX-512, and with other vector units. */
const BLOCKS = [16, 8] as const;
/** Side of the probe's image: more than a kernel, so that edges and inside are both there. */
const SIDE = 5;
/** Sums of 3·3·32 products of numbers below 1 in another order; a wrong block gives errors of the values' own size. */
const TOLERANCE = 1e-4;

/**
 * How many channels the engine's blocked convolution takes together on this machine, found by computing one small convolution
 * both ways.
 *
 * @param open - loads a file's bytes into the engine
 * @returns `undefined` where the engine has no such convolution, or another result
 */
export async function findBlockSize(
  open: (model: Uint8Array) => Promise<Session>,
): Promise<number | undefined> {
  for (const block of BLOCKS) if (await agrees(block, open)) return block;
  return undefined;
}

async function agrees(block: number, open: (model: Uint8Array) => Promise<Session>): Promise<boolean> {
  // Two blocks, and unequal numbers of channels: no other arrangement gives the same.
  const [inputs, outputs] = [2 * block, 3 * block];
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", [1, inputs, SIDE, SIDE]);
  const w = graph.input("w", "float32", [outputs, inputs, 3, 3]);
  const plain: ModelContents = {
    inputs: [x, w],
    outputs: new Map([["y", conv(x, w, undefined, { pads: [1, 1, 1, 1] })]]),
  };
  const arrays = new Map([x, w].map((input) => [input.name, pattern(input.shape as readonly number[])]));
  try {
    const [expected, got] = [
      await firstOutput(plain, arrays, open),
      await firstOutput(withBlockedConvolutions(plain, block), arrays, open),
    ];
    return expected.every((value, index) => Math.abs(value - (got[index] as number)) <= TOLERANCE);
  } catch {
    // An engine without these operators refuses the graph: that is the answer.
    return false;
  }
}

async function firstOutput(
  contents: ModelContents,
  arrays: Parameters<Session["run"]>[0],
  open: (model: Uint8Array) => Promise<Session>,
): Promise<Float32Array> {
  const session = await open(writeModel(contents));
  try {
    return (await session.run(arrays)).y as Float32Array;
  } finally {
    await session.release();
  }
}

/** Numbers in [−½, ½) without a pattern that a wrong arrangement could keep. */
function pattern(sizes: readonly number[]) {
  const length = sizes.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length }, (_, index) => ((index * 7919) % 1009) / 1009 - 0.5);
  return { dtype: "float32", sizes, data } as const;
}
