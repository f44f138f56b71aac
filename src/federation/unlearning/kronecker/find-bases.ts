import { throwIfCancelled } from "../../../kernel/errors.ts";
import type { Progress } from "../../../kernel/events.ts";
import { deriveKey } from "../../../kernel/key.ts";
import type { RequestWith, Treatment } from "../contract.ts";
import type { Deviations } from "../deviations.ts";
import { basesOf } from "./bases.ts";
import { blocksOf } from "./blocks.ts";
import { factorSums } from "./factors.ts";
import { probeInputs } from "./probe-inputs.ts";
import type { BasedBlock } from "./response.ts";
import { treatmentOf } from "./treatments.ts";

/** Rounds the factors rest on at least, whatever the stride. */
const LEAST_ROUNDS = 8;

/** What the first look at the history gives. */
export interface FoundBases {
  /** The parts of the model that are alive, with their coordinates. */
  readonly blocks: readonly BasedBlock[];
  readonly treatments: readonly Treatment[];
  /** Synthetic inputs for the diagnosis, where they can be had. */
  readonly probes: Float32Array | undefined;
}

/**
 * The first pass over the history: the factors of every layer, of which only leading eigenvectors are kept.
 *
 * @param settings - `rank`: eigenvectors kept on either side of a layer; `factorStride`: every how many rounds to read
 * @param coordinates - q; blocks live in q∘x
 */
export async function* findBases(
  request: RequestWith<"history">,
  settings: { readonly rank: number; readonly factorStride: number },
  deviations: Deviations,
  coordinates: Float32Array | undefined,
): Progress<FoundBases> {
  const { layout, layers, history, matrices, key, signal, probe } = request;
  const sums = factorSums(blocksOf(layout, layers), layout, matrices, coordinates);
  const stride = Math.max(1, Math.min(settings.factorStride, Math.floor(history.rounds / LEAST_ROUNDS)));
  const wants = stride === 1 ? undefined : (round: number) => round % stride === 0;
  for await (const round of deviations.pass(wants)) {
    await sums.add(round);
    yield { type: "step", step: round.round + 1, of: history.rounds, scalars: {} };
  }

  const factored = sums.finish();
  const blocks: BasedBlock[] = [];
  const treatments: Treatment[] = [];
  for (const part of factored) {
    throwIfCancelled(signal);
    const bases = await basesOf(part, matrices, settings.rank, deriveKey(key, "bases"));
    if (part.live !== undefined) blocks.push({ block: part.live, bases });
    treatments.push(treatmentOf(part, bases));
  }
  const [first] = factored;
  // In Adam's coordinates the first layer's factor is no longer a moment of the inputs.
  const canProbe = coordinates === undefined && layers[0]?.kind === "dense";
  const probes =
    probe !== undefined && first !== undefined && canProbe
      ? await probeInputs(first, probe.inputRange, matrices, deriveKey(key, "probes"))
      : undefined;
  return { blocks, treatments, probes };
}
