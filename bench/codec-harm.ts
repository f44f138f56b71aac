// What compressing a history does to unlearning from it: every federation is trained once with all updates kept exactly, which
// are then coded by one codec after another and unlearned from. Resumable: arms that are in the results already are left out.
//
//   node bench/codec-harm.ts [--federations id,id] [--all] [--out DIR]        --all: every codec for every federation
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../src/cli/machine.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { findRule } from "../src/federation/unlearning/index.ts";
import { clientId } from "../src/kernel/client-id.ts";
import { consume } from "../src/kernel/events.ts";
import { deriveKey, keyFromSeed } from "../src/kernel/key.ts";
import { parameterDistance } from "../src/metrics/distance.ts";
import { ortMatrices } from "../src/runtime/linear-algebra/ort-engine.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";
import { ALPHA, type Arm, commonArms, furtherArms, type Rule } from "./codec-harm/arms.ts";
import { type CodedHistory, codedHistory } from "./codec-harm/coded-history.ts";
import { federations } from "./codec-harm/federations.ts";
import { type HarmDocument, type HarmPoint, harmSchema } from "./codec-harm/results.ts";
import type { Federation } from "./codec-harm/train-federation.ts";

const { values } = parseArgs({
  options: {
    federations: { type: "string" },
    all: { type: "boolean", default: false },
    out: { type: "string", default: join(import.meta.dirname, "results/codec-harm") },
  },
});
const RULES: readonly Rule[] = ["kronecker-response", "medu"];
const EXACT: Arm = { id: "float32", family: "float32", codec: { quantiser: "none" } };
const folder = values.out;
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const wanted = values.federations?.split(",");

await using matrices = ortMatrices({ threads: 1, spinning: false });
for (const { id, title, train, hasEveryCodec } of federations) {
  if (wanted !== undefined && !wanted.includes(id)) continue;
  const path = join(folder, `${id}.json`);
  const known = existsSync(path) ? harmSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
  const arms = [EXACT, ...commonArms, ...(hasEveryCodec || values.all ? furtherArms : [])];
  const isMeasured = (arm: Arm, rule: Rule): boolean =>
    known?.points.some((point) => point.arm === arm.id && point.rule === rule) ?? false;
  const open = arms.filter((arm) => (arm.rules ?? RULES).some((rule) => !isMeasured(arm, rule)));
  if (open.length === 0) continue;
  const federation = await train();
  const { trainedWeights, retrainedWeights, layout, rounds } = federation;
  let document: HarmDocument = known ?? {
    id,
    title,
    parameters: layout.length,
    clients: new Set(rounds.flat().map(({ client }) => client)).size,
    rounds: rounds.length,
    alpha: ALPHA,
    trained: await federation.measure(trainedWeights),
    retrained: await federation.measure(retrainedWeights),
    points: [],
    commit,
    machine: describeMachine(packageVersions()),
  };
  console.log(id, layout.length, document.trained, document.retrained);
  const exact = new Map<Rule, Float32Array>();
  for (const rule of RULES)
    exact.set(rule, await unlearn(federation, await coded(federation, EXACT), EXACT, rule));
  for (const arm of open) {
    const stored = await coded(federation, arm);
    for (const rule of arm.rules ?? RULES) {
      if (isMeasured(arm, rule)) continue;
      const weights = await unlearn(federation, stored, arm, rule);
      const point = await judged(
        federation,
        arm,
        rule,
        stored.bytes,
        weights,
        exact.get(rule) as Float32Array,
      );
      document = { ...document, points: [...document.points, point] };
      writeFileAtomically(path, `${JSON.stringify(document, undefined, 1)}\n`);
      console.log(
        `${id} ${rule} ${arm.id}: ${point.bitsPerParameter.toFixed(3)} b ${point.accuracy.toFixed(3)}/${point.attackSuccess.toFixed(3)} gain ${point.gain.toFixed(3)}`,
      );
    }
    await stored.history[Symbol.asyncDispose]();
  }
}

async function judged(
  federation: Federation,
  arm: Arm,
  rule: Rule,
  bytes: number,
  weights: Float32Array,
  exact: Float32Array,
): Promise<HarmPoint> {
  const { trainedWeights, retrainedWeights, layout, rounds } = federation;
  let [inner, size, gap] = [0, 0, 0];
  for (let i = 0; i < layout.parameterLength; i++) {
    const removed = (trainedWeights[i] as number) - (exact[i] as number);
    const left = (trainedWeights[i] as number) - (weights[i] as number);
    inner += removed * left;
    size += removed * removed;
    gap += (removed - left) ** 2;
  }
  return {
    arm: arm.id,
    family: arm.family,
    rule,
    bytes,
    bitsPerParameter: (8 * bytes) / (layout.length * rounds.flat().length),
    ...(await federation.measure(weights)),
    gain: inner / size,
    relativeError: Math.sqrt(gap / size),
    parameterDistance: parameterDistance(weights, trainedWeights, retrainedWeights) ?? Number.NaN,
  };
}

async function coded({ layout, initialWeights, rounds }: Federation, arm: Arm): Promise<CodedHistory> {
  const { roundStride = 1 } = arm;
  return codedHistory(layout, initialWeights, rounds, arm.codec, (round) => round % roundStride === 0);
}

async function unlearn(
  federation: Federation,
  { history }: CodedHistory,
  arm: Arm,
  rule: Rule,
): Promise<Float32Array> {
  const { layout, layers, initialWeights, trainedWeights, leavers, training } = federation;
  const { roundStride = 1, estimator = "hold" } = arm;
  const { weights } = await consume(
    findRule(rule).run(
      {
        layout,
        layers,
        finalWeights: trainedWeights,
        initialWeights,
        training: { ...training, recordedFraction: arm.codec.storedClientFraction ?? 1 / roundStride },
        leavers: leavers.map(clientId),
        help: "none",
        matrices,
        key: deriveKey(keyFromSeed(1), "unlearning"),
        history,
      },
      { estimator, ...(rule === "medu" ? { alpha: ALPHA } : {}) },
    ),
  );
  return weights;
}
