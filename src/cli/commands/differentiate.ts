import { basename } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { keyFromSeed } from "../../kernel/key.ts";
import { adapt, adaptationSchema } from "../../models/adapt.ts";
import { initialWeights } from "../../models/architecture.ts";
import { openOnnxArchitecture } from "../../models/onnx-model.ts";
import { writeModel } from "../../onnx/write-model.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { openOnnxFile } from "../../storage/onnx-file.ts";
import { encodeTensors } from "../../storage/safetensors.ts";
import { parseOptimizer } from "../../training/optimizers.ts";
import { buildStepGraph } from "../../training/step-graph.ts";
import { type AdaptationOptions, adaptationInput, addAdaptationOptions } from "../adaptation.ts";
import { type CommonOptions, defineAction, parseSettings } from "../context.ts";
import { parseSize } from "../model-argument.ts";

const differentiateSchema = adaptationSchema.extend({
  loss: z.enum(["cross-entropy", "mse"]).default("cross-entropy"),
});

interface DifferentiateOptions extends CommonOptions, AdaptationOptions {
  readonly loss?: string;
  readonly optimizer?: string;
  readonly output?: string;
  readonly size?: Readonly<Record<string, number>>;
}

/** `lethe differentiate`: from a model to its training graph, for any ONNX Runtime. */
export function differentiateCommand(): Command {
  const command = new Command("differentiate")
    .description("Turn an ONNX classifier into a training graph that any ONNX Runtime can run.")
    .argument("<file>", "the model, an .onnx file")
    .option("--loss <id>", "cross-entropy (labels are class numbers) or mse (default: cross-entropy)")
    .option("--optimizer <id>", "sgd, adam or adamw: adds the updated weights as outputs `next:NAME`")
    .option("--output <name>", "the output to train (default: the first that holds scores)")
    .option("--size <name=number>", "fix a size that has only a name (`sequence=128`); repeatable", parseSize)
    .addHelpText(
      "after",
      "\nThe graph's inputs are the model's inputs, `labels`, every trainable weight by its name and, with an optimizer,\n" +
        "`learning-rate` (and `step` for adam); its outputs are `loss`, `grad:NAME` and `next:NAME`. What is frozen is in the\n" +
        "graph. It computes in float32, whatever the model's weights are kept in. Where every position of a sample has a\n" +
        "label, those labelled -100 are left out. With --lora the adapters' starting values are written beside the graph.\n" +
        "\nExamples:\n  lethe differentiate model.onnx --optimizer sgd --out training.onnx\n" +
        "  lethe differentiate bert.onnx --train 'classifier.*' --size sequence=64 --out training.onnx",
    );
  return defineAction<DifferentiateOptions>(
    addAdaptationOptions(command),
    "training.onnx",
    async (options, context, args) => {
      const [file] = args as [string];
      const { loss, ...adaptation } = parseSettings(
        differentiateSchema,
        { loss: options.loss, ...adaptationInput(options) },
        "lethe differentiate",
      );
      const { bytes, external } = openOnnxFile(file);
      const model = openOnnxArchitecture(bytes, basename(file), {
        external,
        asWritten: loss === "mse",
        ...(options.size && { sizes: options.size }),
        ...(options.output && { output: options.output }),
      });
      for (const note of model.notes ?? []) context.say(note);
      const key = keyFromSeed(context.seed);
      const isWhole = Object.keys(adaptation).length === 0;
      const { architecture } = isWhole
        ? { architecture: model }
        : adapt(model, adaptation, initialWeights(model, key));
      const step = buildStepGraph(architecture, {
        loss,
        gradients: true,
        feedsCompanions: true,
        ...(options.optimizer === undefined ? {} : { optimizer: parseOptimizer(options.optimizer) }),
      });
      writeFileAtomically(options.out, writeModel(step.contents));
      const initial = adaptation.lora && `${options.out.replace(/\.onnx$/, "")}.initial.safetensors`;
      if (initial !== undefined) {
        const values = initialWeights(architecture, key);
        const tensors = architecture.weights.map(
          ({ name, shape }) => [name, { shape, data: values.get(name) as Float32Array }] as const,
        );
        writeFileAtomically(initial, encodeTensors({ tensors: new Map(tensors), metadata: {} }));
      }
      const result = {
        file: options.out,
        inputs: step.contents.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
        outputs: [...step.contents.outputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
        trainable: step.weights.filter(({ role }) => role === "parameter").map(({ name }) => name),
        notes: model.notes ?? [],
        ...(initial && { initial }),
      };
      return {
        json: result,
        text: [
          `inputs     ${result.inputs.map(({ name }) => name).join(", ")}`,
          `outputs    ${result.outputs.map(({ name }) => name).join(", ")}`,
          `written    ${options.out}${initial ? `, ${initial}` : ""}`,
        ],
      };
    },
  );
}
