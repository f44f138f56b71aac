import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { operators } from "../../src/autodiff/operators/index.ts";
import { readTokenizer } from "../../src/data/text/read-tokenizer.ts";
import { keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { sizeOf } from "../../src/kernel/layout.ts";
import { matmul } from "../../src/onnx/functions/index.ts";
import { Graph } from "../../src/onnx/graph.ts";
import { ModelProtoSchema, OperatorSetIdProtoSchema } from "../../src/onnx/proto/onnx_pb.js";
import { readModel } from "../../src/onnx/read-model.ts";
import { writeModel } from "../../src/onnx/write-model.ts";
import { type Finished, lethe, type RunOptions } from "./lethe.ts";
import { writeCsv, writeIdx } from "./tiny-data.ts";

const COMMANDS = [
  "demo",
  "simulate",
  "train",
  "audit",
  "differentiate",
  "datasets",
  "metrics",
  "bench",
] as const;
/** A federation that is through in a moment. */
const TINY = ["--model", "mlp:8", "--clients", "4", "--rounds", "3", "--threads", "1"] as const;

let directory: string;
const at = (...parts: readonly string[]): string => join(directory, ...parts);
const csvData = (): string => `csv:${at("trees.csv")}?label=kind`;
const trainCsv = (...args: readonly string[]): readonly string[] => [
  "train",
  "--data",
  csvData(),
  "--model",
  "mlp:8",
  "--threads",
  "1",
  ...args,
];
const simulate = (out: string, ...args: readonly string[]): readonly string[] => [
  "simulate",
  "--data",
  `idx:${at("idx")}`,
  ...TINY,
  "--out",
  out,
  ...args,
];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-cli-"));
  writeCsv(at("trees.csv"));
  writeIdx(at("idx"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Expects a failure with a code for machines and a message for people, the same with and without `--json`. */
async function expectFailure(
  args: readonly string[],
  exitCode: number,
  code: string | RegExp,
  message: RegExp,
): Promise<Finished> {
  const finished = await lethe([...args, "--json"]);
  expect([finished.code, finished.signal]).toEqual([exitCode, null]);
  expect(finished.stderr).toMatch(message);
  expect(finished.stderr).not.toMatch(/^\s+at .*\.ts:\d+/m);
  const { error } = finished.json() as { error: Record<string, unknown> };
  expect(error.code).toMatch(code);
  expect(error.message).toMatch(message);
  expect(Object.keys(error).sort()).toEqual(["code", "details", "kind", "message"]);
  return finished;
}

describe("a reader that stops reading", () => {
  it("is no fault: the command ends quietly", async () => {
    const closed = await lethe(["methods", "--json"], { onStart: (child) => child.stdout?.destroy() });
    expect([closed.code, closed.stderr]).toEqual([0, ""]);
  });
});

describe("help", () => {
  it("names every command, its version and an example, on stdout with exit code 0", async () => {
    const help = await lethe(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    const version = await lethe(["--version"]);
    expect(version.stdout.trim()).toBe(JSON.parse(readFileSync("package.json", "utf8")).version);
    for (const command of COMMANDS) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command}\\b`, "m"));
      const { code, stdout, stderr } = await lethe([command, "--help"]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`Usage: lethe ${command}`);
      if (command !== "bench")
        for (const option of ["--out", "--seed", "--threads", "--json"]) expect(stdout).toContain(option);
    }
  });

  it("is given to whoever types no command, or one that does not exist, with exit code 2", async () => {
    const bare = await lethe([]);
    expect([bare.code, bare.stdout]).toEqual([2, ""]);
    expect(bare.stderr).toContain("Usage: lethe");
    expect(await lethe(["frobnicate"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("frobnicate"),
    });
  });
});

describe("wrong usage ends with 2 and says what would be right:", () => {
  it.each([
    ["an unknown option", ["train", "--data", "digits", "--lr", "1"], /--lr/],
    ["a missing option", ["train"], /--data/],
    ["a word for a number", ["train", "--data", "digits", "--epochs", "many"], /whole number/],
    ["no threads", ["train", "--data", "digits", "--threads", "0"], /from 1 on/],
    ["a seed that is no integer", ["train", "--data", "digits", "--seed", "0.5"], /whole number/],
    ["an unknown data set", ["train", "--data", "imagenet"], /mnist, fashion-mnist.*imagenet/],
    ["a table without its label", ["train", "--data", "csv:x.csv"], /label/],
    ["an unknown optimizer", ["train", "--data", "digits", "--optimizer", "lion"], /sgd|adam/],
    [
      "a schedule the command cannot set",
      ["train", "--data", "digits", "--schedule", "warm"],
      /linear|cosine/,
    ],
    ["a learning rate below zero", ["train", "--data", "digits", "--learning-rate", "-1"], /learningRate/],
    ["an unknown codec", ["simulate", "--codec", "zip"], /QUANTISER:BITS.*lethe codecs.*zip/],
    ["a codec's unknown part", ["simulate", "--codec", "z:1,speed:9"], /temporal:TAU.*speed:9/],
    ["leavers that are no numbers", ["simulate", "--unlearn", "client:anna"], /client:0,3.*anna/],
    ["a participation above one", ["simulate", "--participation", "1.5"], /participation/],
    ["a setting without a value", ["simulate", "--set", "theta"], /NAME=VALUE/],
    ["a configuration that is not there", ["simulate", "--config", "nowhere.json"], /nowhere\.json/],
    ["work at no address", ["work"], /LETHE_FARM/],
    ["an attack by too few models", ["audit", "x", "--attack", "u-lira:4"], /u-lira:COUNT from 8/],
    ["an unknown loss", ["differentiate", "x.onnx", "--loss", "hinge"], /cross-entropy/],
  ])("%s", async (_what, args, message) => {
    await expectFailure(args, 2, /^LETHE_USAGE_/, message);
  });

  it("a model that does not exist", async () => {
    await expectFailure(
      trainCsv("--model", "resnet"),
      2,
      "LETHE_USAGE_MODEL",
      /cnn-medium, .*resnet20.*mlp:WIDTHS.*got `resnet`/,
    );
    await expectFailure(trainCsv("--model", "cnn"), 2, "LETHE_USAGE_MODEL", /Use an mlp/);
  });

  it("a method or a setting that does not exist, before any training", async () => {
    const method = await expectFailure(
      simulate(at("none"), "--method", "scrubb"),
      2,
      "LETHE_USAGE_METHOD",
      /kronecker-response, medu.*scrubb/,
    );
    expect(method.stderr).not.toContain("training");
    await expectFailure(
      simulate(at("none"), "--set", "thta=3"),
      2,
      "LETHE_USAGE_CONFIG",
      /theta, rank.*[\s\S]*thta/,
    );
    expect(existsSync(at("none"))).toBe(false);
  });
});

describe("training on text", () => {
  it("learns, and keeps the vocabulary beside the model", async () => {
    const words = [
      ["sun", "warm"],
      ["rain", "cold"],
    ] as const;
    const lines = Array.from(
      { length: 40 },
      (_, n) => `${words[n % 2]?.[0]}\tday ${n} was ${words[n % 2]?.[1]}`,
    );
    writeFileSync(at("days.tsv"), lines.join("\n"));
    const finished = await lethe([
      "train",
      ...["--data", `text:${at("days.tsv")}?labels=tab&tokenizer=bpe&length=6`, "--model", "text-mlp"],
      ...["--optimizer", "adam:beta2=0.99", "--schedule", "cosine:warmUp=0.1", "--clip-norm", "1"],
      ...["--epochs", "20", "--batch-size", "8", "--learning-rate", "0.02", "--out", at("text"), "--json"],
    ]);
    expect(finished.code).toBe(0);
    const { accuracy, tokenizer } = finished.json() as { accuracy: { test: number }; tokenizer: string };
    expect(accuracy.test).toBe(1);
    const record = JSON.parse(readFileSync(at("text", "tokenizer.json"), "utf8")) as { kind: string };
    expect(record.kind).toBe("bpe");
    expect((await readTokenizer(record, "tokenizer.json")).digest).toBe(tokenizer);
  });
});

describe("bad data end with 3 and name the file:", () => {
  const train = (data: string, ...args: readonly string[]): readonly string[] => [
    "train",
    "--data",
    data,
    "--threads",
    "1",
    "--out",
    at("bad"),
    ...args,
  ];

  it("a file that is missing", async () => {
    await expectFailure(train(`csv:${at("no.csv")}?label=kind`), 3, /^LETHE_DATA_/, /no\.csv/);
    await expectFailure(train(`idx:${at("no")}`), 3, "LETHE_DATA_MISSING", /train-images-idx3-ubyte/);
    await expectFailure(trainCsv("--model", at("no.onnx")), 3, "LETHE_DATA_FILE", /no\.onnx/);
  });

  it("images cut short, labels out of range, labels that are too few", async () => {
    writeIdx(at("cut"), { missingBytes: 10 });
    await expectFailure(train(`idx:${at("cut")}`), 3, "LETHE_DATA_TRUNCATED", /51200.*cut.train-images/);
    writeIdx(at("range"), { testLabel: 7 });
    await expectFailure(train(`idx:${at("range")}`), 3, "LETHE_DATA_LABEL", /0 … 3, got 7.*t10k-labels/);
    writeIdx(at("few"), { labelCount: 150 });
    await expectFailure(train(`idx:${at("few")}`), 3, "LETHE_DATA_SIZE", /200 images.*150 labels/);
  });

  it("a table with NaN, and one without the column", async () => {
    writeFileSync(at("nan.csv"), "height,kind\n1,a\n2,b\nNaN,a\n4,b\n5,a\n6,b\n");
    await expectFailure(
      train(`csv:${at("nan.csv")}?label=kind`),
      3,
      "LETHE_DATA_NOT_FINITE",
      /`height`.*line 4.*nan\.csv/,
    );
    await expectFailure(train(`csv:${at("trees.csv")}?label=knd`), 3, "LETHE_DATA_COLUMN", /`knd`.*kind/);
  });

  it("a model for other data, and a file that is no model", async () => {
    writeFileSync(at("text.onnx"), "This is not a model but a sentence.");
    await expectFailure(
      ["differentiate", at("text.onnx"), "--out", at("x.onnx")],
      3,
      "LETHE_DATA_ONNX",
      /ONNX file/,
    );
    writeFileSync(at("empty.onnx"), "");
    await expectFailure(
      ["differentiate", at("empty.onnx"), "--out", at("x.onnx")],
      3,
      "LETHE_DATA_ONNX",
      /./,
    );
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", ["batch", 9]);
    const w = graph.input("w", "float32", [9, 2]);
    const data = new Float32Array(18).fill(0.1);
    const initializers = new Map([[w, { dtype: "float32" as const, shape: [9, 2], data }]]);
    writeFileSync(
      at("other.onnx"),
      writeModel({ inputs: [x], outputs: new Map([["y", matmul(x, w)]]), initializers }),
    );
    await expectFailure(
      trainCsv("--model", at("other.onnx")),
      3,
      "LETHE_DATA_MODEL",
      /\[4\] and 3 classes.*other\.onnx for \[9\] and 2/,
    );
  });

  it("a model with an operator without gradient: the message names the node and the operator", async () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", ["batch", 3]);
    const w = graph.input("w", "float32", [3, 3]);
    const [y] = graph.emit("Tanh", [matmul(x, w)], {}, { name: "squash" });
    const standard = writeModel({
      inputs: [x],
      outputs: new Map([["y", y as typeof x]]),
      initializers: new Map([[w, { dtype: "float32", shape: [3, 3], data: new Float32Array(9).fill(0.5) }]]),
    });
    const proto = fromBinary(ModelProtoSchema, standard);
    const squash = proto.graph?.node.find(({ name }) => name === "squash");
    if (squash !== undefined) Object.assign(squash, { opType: "Squash", domain: "acme" });
    proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: "acme", version: 1n }));
    const model = toBinary(ModelProtoSchema, proto);
    writeFileSync(at("squash.onnx"), model);
    await expectFailure(
      ["differentiate", at("squash.onnx"), "--out", at("x.onnx")],
      3,
      "LETHE_DATA_NO_GRADIENT",
      /acme:Squash` in node `squash`.*Every parameter comes before it/,
    );
  });

  it("a model with an operator nobody knows", async () => {
    const model = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: 18n }],
      graph: {
        name: "g",
        node: [{ opType: "Frobnicate", name: "mystery", input: ["x"], output: ["y"] }],
        input: [
          {
            name: "x",
            type: {
              value: {
                case: "tensorType",
                value: {
                  elemType: 1,
                  shape: {
                    dim: [2, 3].map((size) => ({
                      value: { case: "dimValue" as const, value: BigInt(size) },
                    })),
                  },
                },
              },
            },
          },
        ],
        output: [{ name: "y" }],
      },
    });
    writeFileSync(at("odd.onnx"), toBinary(ModelProtoSchema, model));
    await expectFailure(
      ["differentiate", at("odd.onnx"), "--out", at("x.onnx")],
      3,
      "LETHE_DATA_OPERATOR",
      /`Frobnicate` in node `mystery`.*Export the model/,
    );
  });
});

describe("train", () => {
  it("writes a model and a record of the run, and keeps stdout for one JSON document", async () => {
    const finished = await lethe(trainCsv("--out", at("m"), "--json", "--epochs", "20"));
    expect(finished.code).toBe(0);
    const result = finished.json();
    expect(result).toMatchObject({
      accuracy: { train: expect.any(Number), test: expect.any(Number) },
      seconds: expect.any(Number),
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    expect((result.accuracy as { test: number }).test).toBeGreaterThan(0.9);
    expect(finished.stderr).toMatch(/of 40/);
    expect(JSON.parse(readFileSync(at("m", "run.json"), "utf8"))).toEqual(result);
    const model = readModel(readFileSync(at("m", "model.onnx")), operators);
    expect(model.metadata.digest).toBe(result.digest);
    expect(existsSync(at("m", "checkpoint.safetensors"))).toBe(false);

    const plain = await lethe(trainCsv("--out", at("m2"), "--epochs", "20"));
    expect(plain.stdout).toContain(String(result.digest));
    expect(plain.stdout).toContain("accuracy");
  });

  it("is decided by the seed", async () => {
    const digest = async (...args: readonly string[]): Promise<unknown> =>
      (await lethe(trainCsv("--out", at("seeds"), "--epochs", "1", "--json", ...args))).json().digest;
    expect(await digest("--seed", "1")).toBe(await digest());
    expect(await digest("--seed", "2")).not.toBe(await digest());
  });

  it("goes on with a model that was trained before, whatever its input is called", async () => {
    const graph = new Graph(operators);
    const x = graph.input("measurements", "float32", ["rows", 4]);
    const w = graph.input("kernel", "float32", [4, 3]);
    const data = new Float32Array(12);
    const initializers = new Map([[w, { dtype: "float32" as const, shape: [4, 3], data }]]);
    writeFileSync(
      at("own.onnx"),
      writeModel({ inputs: [x], outputs: new Map([["kinds", matmul(x, w)]]), initializers }),
    );
    const first = await lethe(trainCsv("--model", at("own.onnx"), "--out", at("own"), "--json"));
    expect(first.code).toBe(0);
    const written = readModel(readFileSync(at("own", "model.onnx")), operators);
    expect([written.inputs[0]?.name, ...written.outputs.keys()]).toEqual(["measurements", "kinds"]);
    const again = await lethe(trainCsv("--model", at("own", "model.onnx"), "--out", at("own2"), "--json"));
    expect((again.json().accuracy as { train: number }).train).toBeGreaterThanOrEqual(
      (first.json().accuracy as { train: number }).train - 0.05,
    );
  });

  const LONG = ["--epochs", "150", "--optimizer", "adam", "--schedule", "cosine", "--json"] as const;
  /** The run that the others are compared with, made once. */
  let undisturbed: Promise<Finished> | undefined;
  const whole = async (): Promise<Record<string, unknown>> => {
    undisturbed ??= lethe(trainCsv("--out", at("whole"), ...LONG));
    return (await undisturbed).json();
  };

  it.each([
    ["killed", "SIGKILL", null],
    ["interrupted with Ctrl-C", "SIGINT", 130],
    ["asked to end", "SIGTERM", 130],
  ] as const)("that was %s goes on after its last epoch, to the same digest", async (_how, signal, code) => {
    const out = at(signal);
    let isSent = false;
    const watch: RunOptions["watch"] = (stderr, child) => {
      if (isSent || !/^ {2}\d+ of 300/m.test(stderr)) return;
      isSent = true;
      child.kill(signal);
    };
    const cut = await lethe(trainCsv("--out", out, ...LONG), { watch });
    expect(cut.code).toBe(code);
    if (code !== null)
      expect(cut.json()).toMatchObject({ error: { code: "LETHE_CANCELLED", kind: "cancelled" } });
    expect(existsSync(join(out, "model.onnx"))).toBe(false);
    expect(existsSync(join(out, "checkpoint.safetensors"))).toBe(true);
    const resumed = await lethe(trainCsv("--out", out, ...LONG));
    expect(resumed.stderr).toMatch(/Going on after step \d+/);
    expect(resumed.json().digest).toBe((await whole()).digest);
  });

  it("does not go on with a run of other settings, nor from a damaged checkpoint", async () => {
    let isSent = false;
    const watch: RunOptions["watch"] = (stderr, child) => {
      if (!isSent && / of 300/.test(stderr)) isSent = child.kill("SIGKILL");
    };
    await lethe(trainCsv("--out", at("other"), ...LONG), { watch });
    await expectFailure(
      trainCsv("--out", at("other")),
      2,
      "LETHE_USAGE_CHECKPOINT",
      /other settings.*delete it/,
    );
    const file = at("other", "checkpoint.safetensors");
    writeFileSync(file, readFileSync(file).subarray(0, -3));
    await expectFailure(
      trainCsv("--out", at("other"), ...LONG),
      3,
      "LETHE_DATA_SAFETENSORS",
      /checkpoint\.safetensors/,
    );
  });
});

describe("differentiate", () => {
  const stream = randomStream(keyFromSeed(3));
  const normals = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => stream.normal());

  it.each(["cross-entropy", "mse"])(
    "gives a graph any ONNX Runtime runs, with true gradients (%s)",
    async (loss) => {
      await lethe(trainCsv("--out", at("d"), "--epochs", "2"));
      const made = await lethe([
        "differentiate",
        at("d", "model.onnx"),
        "--loss",
        loss,
        "--out",
        at("grad.onnx"),
        "--json",
      ]);
      expect(made.code).toBe(0);
      const trainable = made.json().trainable as string[];
      expect(trainable).toEqual(["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);

      const session = await InferenceSession.create(readFileSync(at("grad.onnx")), { intraOpNumThreads: 1 });
      expect([...session.outputNames].sort()).toEqual(
        ["loss", ...trainable.map((name) => `grad:${name}`)].sort(),
      );
      expect([...session.inputNames].sort()).toEqual(["input", "labels", ...trainable].sort());
      const { weights } = readModel(readFileSync(at("d", "model.onnx")), operators);
      const tensors = new Map(
        [...weights].map(([{ name }, { shape, data }]) => [
          name,
          { shape, data: Float32Array.from(data as Float32Array) },
        ]),
      );
      const labels =
        loss === "mse"
          ? new Tensor("float32", normals(18), [6, 3])
          : new Tensor("int64", BigInt64Array.from([0n, 1n, 2n, 2n, 1n, 0n]), [6]);
      const input = new Tensor("float32", normals(24), [6, 4]);
      const run = async () => {
        const feeds = Object.fromEntries(
          [...tensors].map(([name, { shape, data }]) => [name, new Tensor("float32", data, [...shape])]),
        );
        return session.run({ input, labels, ...feeds });
      };
      const exact = await run();
      const lossOf = (results: Awaited<ReturnType<typeof run>>): number => Number(results.loss?.data[0]);
      expect(lossOf(exact)).toBeGreaterThan(0);
      for (const name of trainable) {
        const { shape, data } = tensors.get(name) as { shape: readonly number[]; data: Float32Array };
        const gradient = exact[`grad:${name}`]?.data as Float32Array;
        expect(gradient).toHaveLength(sizeOf(shape));
        expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(1e-3);
        for (let k = 0; k < Math.min(5, data.length); k++) {
          const index = (k * 7) % data.length;
          const value = data[index] as number;
          // Central differences in float32: an error of 1e-8/step from rounding, of step² from curvature.
          const step = 4e-3;
          data[index] = value + step;
          const above = lossOf(await run());
          data[index] = value - step;
          const below = lossOf(await run());
          data[index] = value;
          expect(gradient[index]).toBeCloseTo((above - below) / (2 * step), 3);
        }
      }
      await session.release();
    },
  );

  it("with an optimizer gives the weights after the step", async () => {
    await lethe(trainCsv("--out", at("d"), "--epochs", "2"));
    const made = await lethe([
      "differentiate",
      at("d", "model.onnx"),
      "--optimizer",
      "sgd",
      "--out",
      at("step.onnx"),
      "--json",
    ]);
    const names = (made.json().outputs as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["loss", "grad:fc1.weight", "next:fc1.weight", "next:fc2.bias"]),
    );
    const session = await InferenceSession.create(readFileSync(at("step.onnx")), { intraOpNumThreads: 1 });
    const { weights } = readModel(readFileSync(at("d", "model.onnx")), operators);
    const feeds = Object.fromEntries(
      [...weights].map(([{ name }, { shape, data }]) => [
        name,
        new Tensor("float32", Float32Array.from(data as Float32Array), [...shape]),
      ]),
    );
    const results = await session.run({
      ...feeds,
      input: new Tensor("float32", normals(8), [2, 4]),
      labels: new Tensor("int64", BigInt64Array.of(0n, 2n), [2]),
      "learning-rate": new Tensor("float32", Float32Array.of(0.3), []),
    });
    const before = feeds["fc2.bias"]?.data as Float32Array;
    const gradient = results["grad:fc2.bias"]?.data as Float32Array;
    const after = results["next:fc2.bias"]?.data as Float32Array;
    after.forEach((value, index) => {
      expect(value).toBeCloseTo((before[index] as number) - 0.3 * (gradient[index] as number), 6);
    });
    await session.release();
  });
});

describe("simulate", () => {
  it("writes result, report, history and model; the JSON document has the fields scripts rely on", async () => {
    const finished = await lethe(simulate(at("s"), "--attack", "backdoor", "--json"));
    expect(finished.code).toBe(0);
    const result = finished.json();
    const models = {
      trained: expect.any(Number),
      unlearned: expect.any(Number),
      retrained: expect.any(Number),
    };
    const works = { train: expect.any(Number), unlearn: expect.any(Number), retrain: expect.any(Number) };
    expect(result).toMatchObject({
      accuracy: models,
      attackSuccess: models,
      removedClientAccuracy: models,
      parameterDistance: expect.any(Number),
      history: {
        parameters: 256 * 8 + 8 + 8 * 4 + 4,
        updates: 12,
        rawBytes: expect.any(Number),
        storedBytes: expect.any(Number),
        bitsPerParameter: expect.any(Number),
      },
      seconds: works,
      clientRounds: { train: 12, unlearn: 0, retrain: 9 },
      verdict: expect.stringMatching(/^(pass|fail|refused)$/),
      report: at("s", "report.html"),
    });
    const { report, ...document } = result;
    expect(JSON.parse(readFileSync(at("s", "result.json"), "utf8"))).toEqual(document);
    expect(readFileSync(String(report), "utf8")).toMatch(/^<!doctype html>/i);
    expect(readModel(readFileSync(at("s", "model.onnx")), operators).metadata.digest).toBe(
      (result.digests as { unlearned: string }).unlearned,
    );
    expect(finished.stderr).toContain("[1/5] training");

    const again = await lethe(simulate(at("s"), "--attack", "backdoor", "--json"));
    expect(again.json().digests).toEqual(result.digests);
    await expectFailure(
      simulate(at("s"), "--seed", "2"),
      2,
      "LETHE_USAGE_OTHER_HISTORY",
      /history\.db.*Choose another --out/,
    );
  });

  it("without attack and without retraining ends too, and says so in words", async () => {
    const honest = await lethe(simulate(at("honest")));
    expect([honest.code, honest.stdout]).toEqual([0, expect.stringMatching(/verdict +(pass|fail|refused)/)]);
    const alone = await lethe(simulate(at("alone"), "--no-retrain", "--codec", "none", "--repair"));
    expect([alone.code, alone.stdout]).toEqual([0, expect.stringContaining("--no-retrain")]);
  });

  it("finds a flipped byte in the history and ends with 5", async () => {
    await lethe(simulate(at("flipped"), "--no-retrain"));
    const database = new DatabaseSync(at("flipped", "history.db"));
    const entry = database
      .prepare("SELECT id, record FROM entries WHERE record IS NOT NULL ORDER BY id LIMIT 1 OFFSET 4")
      .get();
    const { id, record } = entry as unknown as { id: number; record: Uint8Array };
    const place = Math.floor(record.length / 2);
    record[place] = (record[place] as number) ^ 4;
    database.prepare("UPDATE entries SET record = ? WHERE id = ?").run(record, id);
    database.close();
    await expectFailure(
      simulate(at("flipped"), "--no-retrain"),
      5,
      /^LETHE_INTEGRITY_/,
      /client "\d" in round \d.*damaged/,
    );
  });

  it("finds a damaged file and ends with 5", async () => {
    await lethe(simulate(at("damaged"), "--no-retrain"));
    const file = at("damaged", "history.db");
    writeFileSync(file, readFileSync(file).fill(0xaa, 0, 64));
    await expectFailure(
      simulate(at("damaged"), "--no-retrain"),
      5,
      "LETHE_INTEGRITY_DATABASE",
      /history\.db/,
    );
  });

  it("does not write into somebody else's database", async () => {
    const foreign = new DatabaseSync(at("foreign.db"));
    foreign.exec("CREATE TABLE letters (body TEXT); INSERT INTO letters VALUES ('dear');");
    foreign.close();
    const bytes = readFileSync(at("foreign.db"));
    const out = at("foreign");
    await lethe(simulate(out, "--no-retrain"));
    for (const suffix of ["-wal", "-shm"]) rmSync(join(out, `history.db${suffix}`), { force: true });
    writeFileSync(join(out, "history.db"), bytes);
    await expectFailure(simulate(out, "--no-retrain"), 3, "LETHE_DATA_NOT_A_HISTORY", /history\.db/);
    expect(readFileSync(join(out, "history.db"))).toEqual(bytes);
  });

  it("goes on after a creation that was cut short", async () => {
    await lethe(simulate(at("cut-creation"), "--no-retrain", "--rounds", "1"));
    for (const suffix of ["", "-wal", "-shm"])
      rmSync(at("cut-creation", `history.db${suffix}`), { force: true });
    writeFileSync(at("cut-creation", "history.db"), "");
    expect((await lethe(simulate(at("cut-creation"), "--no-retrain"))).code).toBe(0);
  });

  it("interrupted with Ctrl-C ends with 130 and goes on to the same digests", async () => {
    const long = ["--rounds", "40", "--no-retrain", "--server-momentum", "0.5", "--json"] as const;
    const whole = (await lethe(simulate(at("long"), ...long))).json();
    let isSent = false;
    const watch: RunOptions["watch"] = (stderr, child) => {
      if (!isSent && /^ {2}\d+ of 40/m.test(stderr)) isSent = child.kill("SIGINT");
    };
    const cut = await lethe(simulate(at("sigint"), ...long), { watch });
    expect(cut.code).toBe(130);
    expect(cut.json()).toMatchObject({ error: { kind: "cancelled" } });
    const history = new DatabaseSync(at("sigint", "history.db"), { readOnly: true });
    const { rounds } = history.prepare("SELECT count(*) AS rounds FROM rounds").get() as unknown as {
      rounds: number;
    };
    history.close();
    expect(rounds).toBeGreaterThan(0);
    expect(rounds).toBeLessThan(40);
    const resumed = await lethe(simulate(at("sigint"), ...long));
    expect(resumed.json().digests).toEqual(whole.digests);
  });
});

describe("simulate --explain", () => {
  it("says where every setting comes from: flag before file before default, and runs nothing", async () => {
    const config = {
      rounds: 7,
      clients: 6,
      seed: 9,
      local: { learningRate: 0.3, optimizer: { id: "sgd", momentum: 0.4 } },
      codec: { quantiser: "int8" },
    };
    writeFileSync(at("config.json"), JSON.stringify(config));
    const args = ["simulate", "--explain", "--config", at("config.json"), "--out", at("explained")];
    const flags = ["--rounds", "3", "--learning-rate", "0.05", "--unlearn", "client:1,2", "--json"];
    const finished = await lethe([...args, ...flags]);
    expect(finished.code).toBe(0);
    const lines = JSON.parse(finished.stdout) as { setting: string; value: unknown; source: string }[];
    const found = Object.fromEntries(lines.map(({ setting, value, source }) => [setting, [value, source]]));
    expect(found).toMatchObject({
      rounds: [3, "flag"],
      "local.learningRate": [0.05, "flag"],
      "unlearn.clients": [[1, 2], "flag"],
      clients: [6, "file"],
      seed: [9, "file"],
      "local.optimizer.momentum": [0.4, "file"],
      "codec.quantiser": ["int8", "file"],
      "local.epochs": [2, "default"],
      model: ["mlp", "default"],
    });
    expect(existsSync(at("explained"))).toBe(false);

    const seeded = await lethe([...args, "--seed", "4"]);
    expect(seeded.stdout).toMatch(/^seed +4 +\(flag\)$/m);
    expect(seeded.stdout).toMatch(/^rounds +7 +\(file\)$/m);
  });

  it("refuses a file with a name that does not exist, or that is no object", async () => {
    writeFileSync(at("typo.json"), JSON.stringify({ round: 7 }));
    await expectFailure(
      ["simulate", "--explain", "--config", at("typo.json")],
      2,
      "LETHE_USAGE_SETTINGS",
      /round/,
    );
    writeFileSync(at("list.json"), "[1]");
    await expectFailure(
      ["simulate", "--explain", "--config", at("list.json")],
      2,
      "LETHE_USAGE_CONFIG_FILE",
      /JSON object/,
    );
    writeFileSync(at("broken.json"), "{");
    await expectFailure(
      ["simulate", "--config", at("broken.json")],
      2,
      "LETHE_USAGE_CONFIG_FILE",
      /broken\.json/,
    );
  });
});

it("datasets lists every source as one JSON document, and for people", async () => {
  const finished = await lethe(["datasets", "--json"]);
  const list = JSON.parse(finished.stdout) as Record<string, unknown>[];
  expect(list.map(({ id }) => id)).toEqual(
    expect.arrayContaining(["mnist", "fashion-mnist", "digits", "idx", "csv"]),
  );
  for (const entry of list)
    expect(entry).toMatchObject({ title: expect.any(String), available: expect.any(Boolean) });
  expect(finished.stderr).toBe("");
  expect((await lethe(["datasets"])).stdout).toContain("mnist");
});

it("metrics lists every metric as one JSON document, and for people", async () => {
  const finished = await lethe(["metrics", "--json"]);
  const list = JSON.parse(finished.stdout) as Record<string, unknown>[];
  expect(list.map(({ id }) => id)).toEqual(
    expect.arrayContaining(["ua", "mia-efficacy", "lira", "klom", "tow"]),
  );
  for (const entry of list) {
    for (const field of [
      "title",
      "paper",
      "guarantee",
      "formula",
      "range",
      "direction",
      "cost",
      "doesNotShow",
    ])
      expect(entry[field]).toEqual(expect.any(String));
    for (const field of ["scope", "needs", "references"]) expect(entry[field]).toEqual(expect.any(Array));
  }
  expect(finished.stderr).toBe("");
  expect((await lethe(["metrics"])).stdout).toContain("does not show");
});
