import { keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { layoutOf } from "../../src/kernel/layout.ts";
import { createHistory } from "../../src/storage/sqlite/history-store.ts";

/**
 * A process that writes a history while others read it, and says each round's digest. Usage: node history-training.ts PATH
 * ROUNDS
 */
const [path = "", rounds = "0"] = process.argv.slice(2);
const layout = layoutOf([{ name: "dense", shape: [40, 50], role: "parameter" }]);
const stream = randomStream(keyFromSeed(4));
const draw = () => Float32Array.from({ length: layout.length }, () => stream.normal());
const history = await createHistory(path, {
  layout,
  key: keyFromSeed(1),
  facts: null,
  initialWeights: draw(),
  codec: { retention: { mode: "hybrid", rounds: 3, alpha: -0.1 } },
});
for (let round = 0; round < Number(rounds); round++) {
  const participants = ["anna", "bert"].map((client) => ({ client, weight: 1, update: draw() }));
  const { digest } = await history.acceptRound({ round, participants, weights: draw() });
  process.stdout.write(`${digest}\n`);
}
await history.close();
