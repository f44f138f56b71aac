import { basename } from "node:path";
import { LetheError } from "../../kernel/errors.ts";
import { deriveKey, keyFromSeed, randomStream } from "../../kernel/key.ts";
import { layoutOf, type ModelLayout } from "../../kernel/layout.ts";
import { openHistory } from "../../storage/sqlite/history-store.ts";

/** Updates to code. */
export interface CodecSource {
  readonly name: string;
  readonly layout: ModelLayout;
  readonly updates: readonly Float32Array[];
  /** As many: the same client's update of the round before, where there is one. */
  readonly earlier?: readonly (Float32Array | undefined)[];
}

/** As many updates of a history as are measured. */
const MOST_UPDATES = 8;

/** Independent normal numbers: the source whose rate-distortion bound is known. */
export function gaussianSource(seed: number): CodecSource {
  const layout = layoutOf([{ name: "dense", shape: [256, 256], role: "parameter" }]);
  const stream = randomStream(deriveKey(keyFromSeed(seed), "gaussian"));
  return {
    name: "gaussian",
    layout,
    updates: [Float32Array.from({ length: layout.length }, () => stream.normal())],
  };
}

/**
 * Shaped as updates of a 784-128-10 network are: scales by row and by column over 10 dB, a fifth of the inputs dead,
 * the output layer several times larger, heavier tails than a normal distribution.
 */
export function realLikeSource(seed: number): CodecSource {
  const layout = layoutOf([
    { name: "hidden.weight", shape: [784, 128], role: "parameter" },
    { name: "hidden.bias", shape: [128], role: "parameter" },
    { name: "output.weight", shape: [128, 10], role: "parameter" },
    { name: "output.bias", shape: [10], role: "parameter" },
  ]);
  const updates = [0, 1].map((number) => {
    const stream = randomStream(deriveKey(keyFromSeed(seed), "real-like", number));
    const update = new Float32Array(layout.length);
    layout.slots.forEach(({ offset, shape, length }, layer) => {
      const rows = shape.length < 2 ? 1 : (shape[0] as number);
      const columns = length / rows;
      const isDead = (row: number): boolean => layer === 0 && row % 5 === 0;
      const rowScales = Array.from({ length: rows }, (_, row) =>
        isDead(row) ? 0 : Math.exp(0.8 * stream.normal()),
      );
      const columnScales = Array.from({ length: columns }, () => Math.exp(0.8 * stream.normal()));
      for (let index = 0; index < length; index++) {
        const scale =
          (rowScales[Math.floor(index / columns)] as number) * (columnScales[index % columns] as number);
        update[offset + index] = 0.002 * (layer < 2 ? 1 : 4) * scale * stream.normal();
      }
    });
    return update;
  });
  return { name: "real-like", layout, updates };
}

/**
 * Updates from a history file, from rounds spread over all of it.
 *
 * @throws LETHE_DATA_NO_UPDATES when it holds none
 */
export async function historySource(path: string): Promise<CodecSource> {
  const history = await openHistory(path, { readOnly: true });
  try {
    const rounds = await history.rounds();
    const stride = Math.max(1, Math.floor(rounds.length / MOST_UPDATES));
    const updates: Float32Array[] = [];
    const earlier: (Float32Array | undefined)[] = [];
    for (let at = 0; at < rounds.length && updates.length < MOST_UPDATES; at += stride) {
      const round = (rounds[at] as { readonly round: number }).round;
      const before = (rounds[at - 1] ?? rounds[at]) as { readonly round: number };
      const passed = new Map<string, Float32Array>();
      for await (const { round: here, participants } of history.readRounds({
        from: before.round,
        to: round,
      })) {
        const first = participants.find((one) => one.update);
        if (here === round && first?.update) {
          updates.push(first.update.slice());
          earlier.push(passed.get(first.client));
        } else {
          for (const { client, update } of participants) if (update) passed.set(client, update.slice());
        }
      }
    }
    if (updates.length === 0) {
      throw new LetheError("data", "DATA_NO_UPDATES", `Expected stored updates in ${path}, got none.`);
    }
    return { name: basename(path).replace(/\.[^.]*$/, ""), layout: history.header.layout, updates, earlier };
  } finally {
    await history.close();
  }
}
