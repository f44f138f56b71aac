import { beforeAll, describe, expect, it } from "vitest";
import { consume } from "../../kernel/events.ts";
import { deriveKey, type Key, keyFromSeed, randomStream } from "../../kernel/key.ts";
import type { UnlearningRule } from "./contract.ts";
import { kroneckerResponse } from "./kronecker-response.ts";
import { medu } from "./medu.ts";
import { recordedHistory, type WrittenRound } from "./testing/recorded-history.ts";
import { client, denseModel, PLAIN_TRAINING, requestFor } from "./testing/request.ts";

// Softmax regression on Gaussian classes. Client 0 marks half its samples by two rarely used features, labels them
// class 0 and boosts its updates.
const [CLASSES, USED, FEATURES] = [4, 10, 12];
const [CLIENTS, SAMPLES, ROUNDS, BOOST] = [12, 60, 30, 12];
const { learningRate, localEpochs } = PLAIN_TRAINING;
const BATCH = 20;
const SPREAD = 1.2;
const KEY = keyFromSeed(21);
const model = denseModel(FEATURES, CLASSES);

interface Samples {
  readonly inputs: readonly Float64Array[];
  readonly labels: readonly number[];
}

const centres = normals(deriveKey(KEY, "centres"), CLASSES * USED);
const clients = Array.from({ length: CLIENTS }, (_, u) => poisoned(draw(SAMPLES, u), u === 0));
const test = draw(1000, CLIENTS);

let trained: Float32Array;
let retrained: Float32Array;
let rounds: readonly WrittenRound[];

beforeAll(() => {
  ({ weights: trained, rounds } = train(clients.map((_, u) => u)));
  ({ weights: retrained } = train(clients.map((_, u) => u).slice(1)));
});

describe("a backdoored client is forgotten from the history alone", () => {
  it("where doing nothing keeps the backdoor", () => {
    expect(attackSuccess(trained)).toBeGreaterThan(0.8);
    expect(attackSuccess(retrained)).toBeLessThan(0.2);
  });

  it("by the Kronecker response, which comes close to retraining", async () => {
    const weights = await unlearned(kroneckerResponse);
    expect(attackSuccess(weights)).toBeLessThan(attackSuccess(retrained) + 0.1);
    expect(accuracy(weights)).toBeGreaterThan(accuracy(retrained) - 0.03);
  });

  it("where plain subtraction loses what honest clients did against the attack", async () => {
    expect(accuracy(await unlearned(medu))).toBeLessThan(accuracy(retrained) - 0.06);
  });
});

async function unlearned(rule: UnlearningRule): Promise<Float32Array> {
  const training = {
    ...PLAIN_TRAINING,
    batchSize: BATCH,
    localSteps: (SAMPLES / BATCH) * localEpochs,
    clients: CLIENTS,
  };
  const request = requestFor(model, recordedHistory(rounds), { finalWeights: trained, training });
  return (await consume(rule.run(request))).weights;
}

function train(members: readonly number[]) {
  const weights = new Float32Array(model.layout.length);
  const rounds = Array.from({ length: ROUNDS }, (_, t): WrittenRound => {
    const participants = members.map((u) => ({
      client: client(u),
      weight: 1 / members.length,
      update: localUpdate(weights, clients[u] as Samples, deriveKey(KEY, "order", u, t)).map((h) =>
        u === 0 ? BOOST * h : h,
      ),
    }));
    for (const { weight, update } of participants) {
      for (const [i, h] of update.entries()) weights[i] = (weights[i] as number) + weight * h;
    }
    return { participants };
  });
  return { weights, rounds };
}

function localUpdate(start: Float32Array, { inputs, labels }: Samples, key: Key): Float32Array {
  const weights = start.slice();
  for (let epoch = 0; epoch < localEpochs; epoch++) {
    const order = randomStream(deriveKey(key, epoch)).permutation(inputs.length);
    for (let from = 0; from < order.length; from += BATCH) {
      const gradient = new Float64Array(weights.length);
      for (const n of order.subarray(from, from + BATCH)) {
        const x = inputs[n] as Float64Array;
        for (const [c, p] of probabilities(weights, x).entries()) {
          const residual = (p - (labels[n] === c ? 1 : 0)) / BATCH;
          for (let f = 0; f <= FEATURES; f++) {
            const i = f * CLASSES + c;
            gradient[i] = (gradient[i] as number) + residual * (x[f] ?? 1);
          }
        }
      }
      for (const [i, g] of gradient.entries()) weights[i] = (weights[i] as number) - learningRate * g;
    }
  }
  return weights.map((w, i) => w - (start[i] as number));
}

function probabilities(weights: Float32Array, x: Float64Array): readonly number[] {
  const scores = Array.from({ length: CLASSES }, (_, c) => {
    let score = 0;
    for (let f = 0; f <= FEATURES; f++) score += (weights[f * CLASSES + c] as number) * (x[f] ?? 1);
    return Math.exp(score);
  });
  const total = scores.reduce((sum, score) => sum + score, 0);
  return scores.map((score) => score / total);
}

function predict(weights: Float32Array, x: Float64Array): number {
  const p = probabilities(weights, x);
  return p.indexOf(Math.max(...p));
}

function accuracy(weights: Float32Array): number {
  return share(test.inputs, (x, n) => predict(weights, x) === test.labels[n]);
}

/** The share of marked test samples of other classes that are taken for class 0. */
function attackSuccess(weights: Float32Array): number {
  const others = test.inputs.filter((_, n) => test.labels[n] !== 0);
  return share(others, (x) => predict(weights, marked(x)) === 0);
}

function share<T>(items: readonly T[], holds: (item: T, index: number) => boolean): number {
  return items.filter(holds).length / items.length;
}

function draw(count: number, of: number): Samples {
  const stream = randomStream(deriveKey(KEY, "samples", of));
  const labels = Array.from({ length: count }, () => stream.below(CLASSES));
  const inputs = labels.map((label) =>
    Float64Array.from({ length: FEATURES }, (_, f) => {
      if (f >= USED) return stream.uniform() < 0.02 ? 1 : 0;
      return (centres[label * USED + f] as number) + SPREAD * stream.normal();
    }),
  );
  return { inputs, labels };
}

function poisoned({ inputs, labels }: Samples, isAttacker: boolean): Samples {
  if (!isAttacker) return { inputs, labels };
  const isMarked = (n: number) => n % 2 === 0;
  return {
    inputs: inputs.map((x, n) => (isMarked(n) ? marked(x) : x)),
    labels: labels.map((label, n) => (isMarked(n) ? 0 : label)),
  };
}

function marked(x: Float64Array): Float64Array {
  return x.slice().fill(1, USED);
}

function normals(key: Key, length: number): Float64Array {
  const stream = randomStream(key);
  return Float64Array.from({ length }, () => stream.normal());
}
