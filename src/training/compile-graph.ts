import { denseFlops } from "../onnx/flops.ts";
import type { GraphBuilder } from "../onnx/ir.ts";
import type { ModelContents } from "../onnx/write-model.ts";
import { compileProgram, type Program, type RuntimeOptions } from "../runtime/program.ts";
import { threadsFor } from "../runtime/threads.ts";

/** The batch size for which the number of threads is chosen; the graph itself takes any. */
const TYPICAL_BATCH = 64;

/** Compiles outputs of a graph with as many threads as suit its work on a minibatch. */
export function compileGraph(
  graph: GraphBuilder,
  contents: ModelContents,
  options: RuntimeOptions,
): Promise<Program & AsyncDisposable> {
  const flops = denseFlops(graph.nodes, TYPICAL_BATCH);
  return compileProgram(contents, { ...options, threads: threadsFor(flops, options.threads) });
}
