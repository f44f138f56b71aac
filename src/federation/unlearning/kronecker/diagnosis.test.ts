import { describe, expect, it } from "vitest";
import type { UnlearningRequest } from "../contract.ts";
import { recordedHistory } from "../testing/recorded-history.ts";
import { client, denseModel, PLAIN_TRAINING, requestFor } from "../testing/request.ts";
import { diagnose, type Measurements } from "./diagnosis.ts";

const GOOD: Measurements = { rho: 0.6, agreement: 0.97, rounds: 40, hasUntreatedBuffers: false };
const model = denseModel(2, 2);
const requestWith = (changes: Partial<UnlearningRequest>) => requestFor(model, recordedHistory([]), changes);
const codes = (changes: Partial<UnlearningRequest>, measured: Partial<Measurements> = {}) =>
  diagnose(requestWith(changes), { ...GOOD, ...measured }).warnings.map(({ code }) => code);
const training = (changes: Partial<UnlearningRequest["training"]>) => ({
  training: { ...PLAIN_TRAINING, ...changes },
});

describe("the diagnosis", () => {
  it("is content with a plain run and reports what was measured", () => {
    expect(diagnose(requestWith({}), GOOD)).toEqual({
      verdict: "ok",
      values: { rho: 0.6, agreement: 0.97 },
      warnings: [],
    });
    expect(diagnose(requestWith({}), { ...GOOD, agreement: undefined }).values).toEqual({ rho: 0.6 });
  });

  it("warns of little removal and of results that depend on the strength of the decay", () => {
    expect(codes({}, { rho: 0.32 })).toEqual(["LOW_RHO"]);
    expect(codes({}, { agreement: 0.89 })).toEqual(["LOW_AGREEMENT"]);
    expect(diagnose(requestWith({}), { ...GOOD, rho: 0.1 }).verdict).toBe("warn");
  });

  it("warns of training it knows to be difficult", () => {
    const secondMoment = new Float32Array(model.layout.length);
    expect(codes(training({ optimizer: "adam" }))).toEqual(["ADAM_WITHOUT_SECOND_MOMENT"]);
    expect(codes(training({ optimizer: "adam", secondMoment }))).toEqual(["ADAM_ALONE"]);
    expect(codes(training({ localEpochs: 3 }))).toEqual(["MANY_EPOCHS"]);
    expect(codes(training({ clientMomentum: 0.9 }))).toEqual(["CLIENT_MOMENTUM"]);
    expect(codes(training({ clients: 9 }))).toEqual(["FEW_KEPT"]);
    expect(codes(training({ clients: 10 }))).toEqual([]);
    expect(codes({ ...training({ clients: 10 }), leavers: [client(0), client(1)] })).toEqual(["FEW_KEPT"]);
    expect(codes(training({ recordedFraction: 0.5 }))).toEqual(["SAMPLED_HISTORY"]);
    expect(codes({}, { rounds: 61 })).toEqual(["MANY_ROUNDS"]);
    expect(codes({}, { hasUntreatedBuffers: true })).toEqual(["UNTREATED_BUFFERS"]);
    const [layer] = model.layers;
    expect(codes({ layers: layer === undefined ? [] : [layer, layer, layer, layer] })).toEqual([
      "DEEP_MODEL",
    ]);
  });

  it("does not ask for a repair round that is coming anyway", () => {
    expect(codes({ ...training({ localEpochs: 5, clientMomentum: 0.9 }), help: "repair-round" })).toEqual([]);
  });
});
