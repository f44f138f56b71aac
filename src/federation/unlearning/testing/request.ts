import { type ClientId, clientId } from "../../../kernel/client-id.ts";
import { keyFromSeed } from "../../../kernel/key.ts";
import { layoutOf, type ModelLayout, type TensorLayout, type TensorSlot } from "../../../kernel/layout.ts";
import type { LayerLayout } from "../../../models/layers.ts";
import { referenceMatrices } from "../../../runtime/linear-algebra/reference.ts";
import type { RequestWith } from "../contract.ts";
import type { HistoryReader } from "../history-reader.ts";
import type { TrainingFacts } from "../training-facts.ts";

/** Client `i` of a test. */
export const client = (i: number): ClientId => clientId(`client-${i}`);

/** Plain SGD clients and plain averaging. */
export const PLAIN_TRAINING: TrainingFacts = {
  optimizer: "sgd",
  learningRate: 0.1,
  batchSize: 50,
  localEpochs: 2,
  localSteps: 24,
  clientMomentum: 0,
  server: { momentum: 0, rate: 1 },
  clients: 20,
  recordedFraction: 1,
};

/** The slot of a tensor by name. */
export function slotNamed({ slots }: ModelLayout, name: string): TensorSlot {
  const slot = slots.find((slot) => slot.name === name);
  if (slot === undefined) throw new Error(`expected a tensor ${name}`);
  return slot;
}

/** A dense layer of a test model. */
export function denseModel(
  inputs: number,
  outputs: number,
): { readonly layout: ModelLayout; readonly layers: readonly LayerLayout[] } {
  const layout = layoutOf([
    { name: "weight", shape: [inputs, outputs], role: "parameter" },
    { name: "bias", shape: [outputs], role: "parameter" },
  ]);
  const [weight, bias] = [slotNamed(layout, "weight"), slotNamed(layout, "bias")];
  return { layout, layers: [{ kind: "dense", name: "dense", weight, bias, inputAxis: 0 }] };
}

/** A model that is one vector in no known form. */
export function vectorModel(
  length: number,
  role: TensorLayout["role"] = "parameter",
): { readonly layout: ModelLayout; readonly layers: readonly LayerLayout[] } {
  const layout = layoutOf([{ name: "vector", shape: [length], role }]);
  return { layout, layers: [{ kind: "other", name: "vector", slots: layout.slots }] };
}

/** A request with everything a test does not speak of filled in. */
export function requestFor(
  model: { readonly layout: ModelLayout; readonly layers: readonly LayerLayout[] },
  history: HistoryReader,
  changes: Partial<RequestWith<"history">> = {},
): RequestWith<"history"> {
  return {
    ...model,
    finalWeights: new Float32Array(model.layout.length),
    initialWeights: new Float32Array(model.layout.length),
    training: PLAIN_TRAINING,
    leavers: [client(0)],
    help: "none",
    matrices: referenceMatrices(),
    key: keyFromSeed(1),
    history,
    ...changes,
  };
}
