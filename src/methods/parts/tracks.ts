import type { ParameterSet } from "../../kernel/parameters.ts";
import type { TrainerState } from "../../training/objective.ts";

/** Optimizer states of one loop by the name of their track. */
export type Tracks = ReadonlyMap<string, Pick<TrainerState, "optimizer" | "step">>;

const SEPARATOR = "|";
const STEPS = `${SEPARATOR}steps`;

/** Several optimizers' states as the one of a checkpoint: `TRACK|SLOT:NAME`, and `TRACK|steps` for their counts. */
export function joinTracks(weights: ParameterSet, tracks: Tracks): TrainerState {
  const optimizer = new Map<string, Float32Array>();
  let step = 0;
  for (const [track, state] of tracks) {
    for (const [name, values] of state.optimizer) optimizer.set(`${track}${SEPARATOR}${name}`, values);
    // Exact up to 2²⁴ steps.
    optimizer.set(`${track}${STEPS}`, Float32Array.of(state.step));
    step += state.step;
  }
  return { weights, optimizer, step };
}

/** What {@link joinTracks} joined. */
export function tracksOf({ optimizer }: TrainerState): Tracks {
  const tracks = new Map<string, { optimizer: Map<string, Float32Array>; step: number }>();
  for (const [key, values] of optimizer) {
    const at = key.indexOf(SEPARATOR);
    const track = key.slice(0, at);
    const state = tracks.get(track) ?? { optimizer: new Map(), step: 0 };
    tracks.set(track, state);
    if (key === `${track}${STEPS}`) state.step = values[0] as number;
    else state.optimizer.set(key.slice(at + 1), values);
  }
  return tracks;
}
