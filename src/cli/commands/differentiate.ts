import { basename } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { onnxArchitecture } from "../../models/onnx-model.ts";
import { writeModel } from "../../onnx/write-model.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { parseOptimizer } from "../../training/optimizers.ts";
import { buildStepGraph } from "../../training/step-graph.ts";
import { type CommonOptions, defineAction, parseSettings } from "../context.ts";
import { readBytes } from "../model-argument.ts";

const differentiateSchema = z.strictObject({
  loss: z.enum(["cross-entropy", "mse"]).default("cross-entropy"),
});

interface DifferentiateOptions extends CommonOptions {
  readonly loss?: string;
  readonly optimizer?: string;
}

/** `lethe differentiate`: from a model to its training graph, for any ONNX Runtime. */
export function differentiateCommand(): Command {
  const command = new Command("differentiate")
    .description("Turn an ONNX classifier into a training graph that any ONNX Runtime can run.")
    .argument("<file>", "the model, an .onnx file")
    .option("--loss <id>", "cross-entropy (labels are class numbers) or mse (default: cross-entropy)")
    .option("--optimizer <id>", "sgd, adam or adamw: adds the updated weights as outputs `next:NAME`")
    .addHelpText(
      "after",
      "\nThe graph's inputs are the model's input, `labels`, every trainable weight by its name and, with an optimizer,\n" +
        "`learning-rate` (and `step` for adam); its outputs are `loss`, `grad:NAME` and `next:NAME`.\n" +
        "\nExample:\n  lethe differentiate model.onnx --optimizer sgd --out training.onnx",
    );
  return defineAction<DifferentiateOptions>(command, "training.onnx", async (options, _context, args) => {
    const [file] = args as [string];
    const { loss } = parseSettings(differentiateSchema, { loss: options.loss }, "lethe differentiate");
    const architecture = onnxArchitecture(readBytes(file), basename(file));
    const step = buildStepGraph(architecture, {
      loss,
      gradients: true,
      ...(options.optimizer === undefined ? {} : { optimizer: parseOptimizer(options.optimizer) }),
    });
    writeFileAtomically(options.out, writeModel(step.contents));
    const result = {
      file: options.out,
      inputs: step.contents.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      outputs: [...step.contents.outputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
      trainable: step.weights.filter(({ role }) => role === "parameter").map(({ name }) => name),
    };
    return {
      json: result,
      text: [
        `inputs     ${result.inputs.map(({ name }) => name).join(", ")}`,
        `outputs    ${result.outputs.map(({ name }) => name).join(", ")}`,
        `written    ${options.out}`,
      ],
    };
  });
}
