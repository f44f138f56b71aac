import { describe, expect, it } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { operators } from "../../autodiff/operators/index.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { sizeOf } from "../../kernel/layout.ts";
import { conv, convTranspose, mul, reduceSum, relu, square } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import { nodesBehind } from "../../onnx/nodes-behind.ts";
import type { ModelContents } from "../../onnx/write-model.ts";
import { machineBlockSize, openSession } from "../node-session.ts";
import { compileProgram } from "../program.ts";
import type { Session } from "../session.ts";
import { hasBlockableConvolutions, withBlockedConvolutions } from "./blocked-convolution.ts";
import { findBlockSize } from "./find-block-size.ts";

const RUNTIME = { threads: 1, spinning: false } as const;
const open = (model: Uint8Array): Promise<Session> => openSession(model, RUNTIME);
const block = await machineBlockSize();

type Build = (
  input: (name: string, ...shape: (number | string)[]) => Value,
) => Readonly<Record<string, Value>>;

function contentsOf(build: Build): ModelContents {
  const graph = new Graph(operators);
  const inputs: Value[] = [];
  const outputs = build((name, ...shape) => {
    const input = graph.input(name, "float32", shape);
    inputs.push(input);
    return input;
  });
  return { inputs, outputs: new Map(Object.entries(outputs)) };
}

const BATCH = 3;

async function run(contents: ModelContents, lowering: "native" | "portable") {
  const stream = randomStream(keyFromSeed(5));
  const feeds = Object.fromEntries(
    contents.inputs.map(({ name, shape }) => {
      const size = sizeOf(shape.map((dim) => (typeof dim === "number" ? dim : BATCH)));
      return [name, Float32Array.from({ length: size }, () => stream.uniform() - 0.5)];
    }),
  );
  await using program = await compileProgram(contents, { ...RUNTIME, lowering });
  return await program.run(feeds);
}

function relativeDistance(a: Float32Array, b: Float32Array): number {
  const apart = a.reduce((sum, value, index) => sum + (value - (b[index] as number)) ** 2, 0);
  return Math.sqrt(apart / b.reduce((sum, value) => sum + value ** 2, 0));
}

const CASES: Readonly<Record<string, Build>> = {
  "of a padded image, with a bias": (input) => ({
    y: conv(input("x", "batch", 16, 7, 6), input("w", 32, 16, 3, 3), input("b", 32), { pads: [1, 1, 1, 1] }),
  }),
  "with strides and dilations": (input) => ({
    y: conv(input("x", 2, 32, 9, 9), input("w", 16, 32, 3, 3), undefined, {
      strides: [2, 1],
      dilations: [1, 2],
      pads: [1, 0, 0, 2],
    }),
  }),
  "of one pixel": (input) => ({ y: conv(input("x", 2, 48, 5, 5), input("w", 16, 48, 1, 1)) }),
  "transposed, of unit stride": (input) => ({
    y: convTranspose(input("x", 2, 32, 5, 6), input("w", 32, 16, 3, 3), { pads: [1, 0, 1, 1] }),
  }),
  "in a net, with the gradients of all": (input) => {
    const [x, v, w] = [input("x", "batch", 16, 6, 6), input("v", 32, 16, 3, 3), input("w", 16, 32, 3, 3)];
    const hidden = relu(conv(x, v, undefined, { pads: [1, 1, 1, 1] }));
    const y = conv(hidden, w, undefined, { strides: [2, 2], pads: [1, 1, 1, 1] });
    const [dx, dv, dw] = gradients(reduceSum(mul(square(y), y)), [x, v, w]);
    return { y, dx, dv, dw };
  },
};

describe.skipIf(block === undefined)("blocked convolutions (skipped where the engine has none)", () => {
  it.each(Object.entries(CASES))("give what plain ones give: %s", async (_what, build) => {
    const contents = contentsOf(build);
    expect(types(withBlockedConvolutions(contents, block as number))).toContain("com.microsoft.nchwc");
    const [plain, blocked] = [await run(contents, "portable"), await run(contents, "native")];
    for (const [name, values] of Object.entries(plain)) {
      expect(relativeDistance(blocked[name] as Float32Array, values as Float32Array)).toBeLessThan(1e-5);
    }
  });

  it("give the same bits at every run", async () => {
    const contents = contentsOf(CASES["in a net, with the gradients of all"] as Build);
    expect(await run(contents, "native")).toEqual(await run(contents, "native"));
  });
});

function types(contents: ModelContents): Set<string> {
  return new Set([...nodesBehind([...contents.outputs.values()])].map(({ domain }) => domain));
}

describe("the choice of convolutions", () => {
  it.each<[string, Build]>([
    [
      "channels do not fill blocks",
      (input) => ({ y: conv(input("x", 1, 3, 8, 8), input("w", 16, 3, 3, 3)) }),
    ],
    [
      "channels are in groups",
      (input) => ({ y: conv(input("x", 1, 32, 8, 8), input("w", 32, 16, 3, 3), undefined, { group: 2 }) }),
    ],
    ["there is one axis of space", (input) => ({ y: conv(input("x", 1, 16, 8), input("w", 16, 16, 3)) })],
    [
      "a transposed one has a stride",
      (input) => ({
        y: convTranspose(input("x", 1, 16, 8, 8), input("w", 16, 16, 3, 3), { strides: [2, 2] }),
      }),
    ],
  ])("leaves them as they are where %s", (_what, build) => {
    const contents = contentsOf(build);
    expect(hasBlockableConvolutions(contents)).toBe(false);
    expect([...types(withBlockedConvolutions(contents, 8))]).toEqual([""]);
  });

  it("finds no block size in an engine that refuses the operators", async () => {
    const refusing = (model: Uint8Array): Promise<Session> =>
      new TextDecoder("latin1").decode(model).includes("nchwc")
        ? Promise.reject(new Error("unknown"))
        : open(model);
    expect(await findBlockSize(refusing)).toBeUndefined();
  });

  it("finds no block size in an engine that computes something else with them", async () => {
    const wrong = async (model: Uint8Array): Promise<Session> => {
      const session = await open(model);
      if (!new TextDecoder("latin1").decode(model).includes("nchwc")) return session;
      const run: Session["run"] = async (arrays) => {
        const { y } = await session.run(arrays);
        return { y: (y as Float32Array).toReversed() };
      };
      return { ...session, run };
    };
    expect(await findBlockSize(wrong)).toBeUndefined();
  });
});
