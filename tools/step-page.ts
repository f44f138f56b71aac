import { z } from "zod";

const resultSchema = z.object({
  engine: z.enum(["lethe", "pytorch", "jax"]),
  model: z.string(),
  threads: z.number(),
  batchSize: z.number(),
  parameters: z.number(),
  msPerStep: z.object({ median: z.number(), minimum: z.number(), p90: z.number() }),
  compileMs: z.number(),
  shareOfGemm: z.number(),
  gradientError: z.number().optional(),
  memory: z.object({ baseBytes: z.number(), peakBytes: z.number() }).optional(),
});

/** `bench/results/step.json`, written by `bench/step.ts`. */
export const stepSchema = z.object({
  command: z.string(),
  commit: z.string(),
  lowering: z.string(),
  note: z.string().optional(),
  machine: z.object({
    cores: z.number(),
    processor: z.string(),
    system: z.string(),
    versions: z.record(z.string(), z.string()),
  }),
  gemm: z.array(z.object({ threads: z.number(), gflopsPerSecond: z.number() })),
  results: z.array(resultSchema),
});

type StepDocument = z.output<typeof stepSchema>;
type Result = z.output<typeof resultSchema>;

const MIB = 2 ** 20;

/** The page of training steps beside other frameworks. */
export function stepPage(document: StepDocument): string {
  const { machine, gemm, results } = document;
  const { versions } = machine;
  const rows = results
    .filter(({ engine }) => engine === "lethe")
    .sort((a, b) => a.threads - b.threads)
    .map((own) => {
      const peer = (engine: Result["engine"]): Result | undefined =>
        results.find(
          (other) => other.engine === engine && other.model === own.model && other.threads === own.threads,
        );
      return rowOf(own, peer("pytorch"), peer("jax"));
    });
  return [
    "# A training step beside other frameworks",
    "",
    `Written by \`${document.command}\` at commit ${document.commit}: ${machine.cores} cores (${machine.processor}), ` +
      `Node ${versions.node}, ONNX Runtime ${versions["onnxruntime-node"]}, ${versions.pytorch}, ${versions.jax}; ${document.lowering}. ` +
      `One 512³ product: ${gemm.map(({ threads, gflopsPerSecond }) => `${gflopsPerSecond.toFixed(0)} GFLOP/s on ${threads} thread(s)`).join(", ")}.` +
      `${document.note === undefined ? "" : ` ${document.note}`}`,
    "",
    "Forward pass, loss, gradients and an SGD step of one batch from the same weights; medians of milliseconds. Times count only where " +
      "the peer's gradients are Lethe's (their relative distance is in the last column). “Share” is the dense work's rate over that of the " +
      "512³ product; it counts three times the forward products. Peak is the memory of a process that does nothing else; in brackets " +
      "what it is above the loaded framework. Compile is the graph and its compilation, of a peer its first step.",
    "",
    "| model | threads | batch | Lethe ms | PyTorch ms | JAX ms | PyTorch/Lethe | JAX/Lethe | share, Lethe | share, PyTorch | peak MiB, Lethe | peak MiB, PyTorch | compile ms, Lethe | PyTorch | JAX | gradients apart |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function rowOf(own: Result, torch: Result | undefined, jax: Result | undefined): string {
  const ms = (result: Result | undefined): string => result?.msPerStep.median.toFixed(2) ?? "–";
  const ratio = (other: Result | undefined): string =>
    other === undefined ? "–" : `${(other.msPerStep.median / own.msPerStep.median).toFixed(2)}×`;
  const share = (result: Result | undefined): string =>
    result === undefined ? "–" : `${(100 * result.shareOfGemm).toFixed(0)} %`;
  const memory = (result: Result | undefined): string => {
    if (result?.memory === undefined) return "–";
    const { baseBytes, peakBytes } = result.memory;
    return `${(peakBytes / MIB).toFixed(0)} (${((peakBytes - baseBytes) / MIB).toFixed(0)})`;
  };
  const compile = (result: Result | undefined): string => result?.compileMs.toFixed(0) ?? "–";
  const apart = [torch, jax].map((result) => result?.gradientError?.toExponential(0) ?? "–").join(", ");
  return `| ${[own.model, own.threads, own.batchSize, ms(own), ms(torch), ms(jax), ratio(torch), ratio(jax), share(own), share(torch), memory(own), memory(torch), compile(own), compile(torch), compile(jax), apart].join(" | ")} |`;
}
