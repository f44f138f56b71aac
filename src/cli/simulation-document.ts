import type { SimulationConfig } from "../federation/simulation/config.ts";
import type { SimulatedModel, SimulationOutcome } from "../federation/simulation/simulate.ts";
import { formatCodec } from "./codec-argument.ts";
import type { Machine } from "./machine.ts";

/** Figures of the models by name, leaving out what was not made. */
type OfModels<Value> = { readonly trained: Value; readonly unlearned: Value; readonly retrained?: Value };

/** `result.json`: what a simulation found, in the fields scripts rely on. */
export type SimulationDocument = ReturnType<typeof simulationDocument>;

/** Lays out a simulation's outcome as the JSON document of `lethe simulate`. */
export function simulationDocument(config: SimulationConfig, outcome: SimulationOutcome, machine: Machine) {
  const { storage, layout, trained, unlearned, retrained, retrainedAgain, fineTuned } = outcome;
  const ofModels = <Value>(figure: (model: SimulatedModel) => Value): OfModels<Value> => ({
    trained: figure(trained),
    unlearned: figure(unlearned),
    ...(retrained === undefined ? {} : { retrained: figure(retrained) }),
  });
  const costs = (figure: (model: SimulatedModel) => number) => ({
    train: figure(trained),
    unlearn: figure(unlearned),
    ...(retrained === undefined ? {} : { retrain: figure(retrained) }),
  });
  const attackSuccess = ofModels((model) => model.measurement.attackSuccess ?? 0);
  const updates = Object.values(storage.entries).reduce((sum, count) => sum + count, 0);
  return {
    accuracy: ofModels((model) => model.measurement.accuracy),
    ...(outcome.population.attacked === undefined ? {} : { attackSuccess }),
    removedClientAccuracy: ofModels((model) => model.measurement.removedClientAccuracy),
    ...(outcome.parameterDistance === undefined ? {} : { parameterDistance: outcome.parameterDistance }),
    ...(retrained === undefined
      ? {}
      : {
          agreement: {
            trained: trained.agreement ?? 0,
            unlearned: unlearned.agreement ?? 0,
            ...(retrainedAgain === undefined ? {} : { retrainedAgain: retrainedAgain.agreement ?? 0 }),
          },
        }),
    membership: ofModels((model) => model.measurement.membership),
    history: {
      parameters: layout.length,
      updates,
      rawBytes: storage.rawBytes,
      storedBytes: storage.bytesOnDisk,
      bitsPerParameter: storage.bitsPerParameter,
      ratio: storage.rawBytes / storage.bytesOnDisk,
      entries: storage.entries,
      breakdown: {
        records: storage.recordBytes,
        weights: storage.weightBytes,
        checkpoint: storage.checkpointBytes,
        auxiliary: storage.auxiliaryBytes,
        sums: storage.sumBytes,
        database:
          storage.bytesOnDisk -
          storage.recordBytes -
          storage.sumBytes -
          storage.weightBytes -
          storage.checkpointBytes -
          storage.auxiliaryBytes,
      },
    },
    seconds: costs((model) => model.seconds),
    clientRounds: costs((model) => model.clientRounds),
    gradientSteps: costs((model) => model.localSteps),
    ...(retrainedAgain === undefined ? {} : { retrainedAgain: figuresOf(retrainedAgain) }),
    ...(fineTuned === undefined ? {} : { fineTuned: figuresOf(fineTuned) }),
    ...(outcome.verdict === undefined
      ? {}
      : {
          verdict: outcome.verdict.verdict,
          reasons: outcome.verdict.reasons,
          controls: outcome.verdict.controls.map(({ title, expected, outcome: found }) => ({
            title,
            expected,
            outcome: found,
          })),
        }),
    diagnosis: outcome.diagnosis,
    evidence: outcome.evidence,
    codecCurve: outcome.codecCurve.map(
      ({ codec, storedBytes, bitsPerParameter, accuracy, attackSuccess: success }) => ({
        codec: formatCodec(codec),
        storedBytes,
        bitsPerParameter,
        accuracy,
        ...(success === undefined ? {} : { attackSuccess: success }),
      }),
    ),
    series: outcome.series,
    method: config.unlearn.method,
    codec: formatCodec(config.codec),
    digests: {
      trained: trained.digest,
      unlearned: unlearned.digest,
      ...(retrained === undefined ? {} : { retrained: retrained.digest }),
      history: outcome.historyDigest,
    },
    config,
    machine,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** A reference's figures. */
function figuresOf({ measurement: { accuracy, attackSuccess, removedClientAccuracy } }: SimulatedModel) {
  return { accuracy, ...(attackSuccess === undefined ? {} : { attackSuccess }), removedClientAccuracy };
}
