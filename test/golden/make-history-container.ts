// Makes history-container.lethe, an exported history, and history-container.json, what it decodes to:
//   node test/golden/make-history-container.ts
// docs/history-container.py prints the same digests.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestBytes } from "../../src/kernel/digest.ts";
import { keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { layoutOf } from "../../src/kernel/layout.ts";
import { createHistory } from "../../src/storage/sqlite/history-store.ts";
import { exportHistory } from "../../src/storage/sqlite/transfer-history.ts";

const SEED = 10;
const layout = layoutOf([
  { name: "conv", shape: [4, 2, 3, 3], role: "parameter" },
  { name: "dense", shape: [12, 10], role: "parameter" },
  { name: "running", shape: [3], role: "buffer" },
]);
const stream = randomStream(keyFromSeed(SEED));
const draw = (scale: number) => Float32Array.from({ length: layout.length }, () => scale * stream.normal());

const directory = mkdtempSync(join(tmpdir(), "lethe-golden-"));
const history = await createHistory(join(directory, "history.db"), {
  layout,
  key: keyFromSeed(SEED),
  facts: { learningRate: 1e-7, rate: 1.5, nothing: null },
  initialWeights: draw(1),
});
for (let round = 0; round < 3; round++) {
  await history.acceptRound({
    round,
    participants: ["anna", "émile"].map((client, at) => ({ client, weight: 1 + at / 3, update: draw(0.01) })),
    weights: draw(1),
    metadata: round === 1 ? null : { loss: 1 / (round + 1) },
  });
}
await history.eraseClient("anna");
await history.acceptRound({
  round: 5,
  participants: [{ client: "émile", weight: 2, update: draw(0.02) }],
  weights: draw(1),
});
const updates: string[] = [];
for await (const { round, participants } of history.readRounds()) {
  for (const { client, update } of participants) {
    if (update) updates.push(`${round} ${client} ${digestBytes(new Uint8Array(update.buffer))}`);
  }
}
await history.close();
const { head } = exportHistory(
  join(directory, "history.db"),
  join(import.meta.dirname, "history-container.lethe"),
);
rmSync(directory, { recursive: true });
const made = {
  command: "node test/golden/make-history-container.ts",
  node: process.version,
  seed: SEED,
};
writeFileSync(
  join(import.meta.dirname, "history-container.json"),
  `${JSON.stringify({ made, head, updates }, undefined, 1)}\n`,
);
