import { beforeAll, describe, expect, it } from "vitest";
import { alteredSamples } from "../../src/data/altered.ts";
import { digestArrays } from "../../src/kernel/digest.ts";
import { isLetheError } from "../../src/kernel/errors.ts";
import type { Checkpoint } from "../../src/methods/contract.ts";
import { methods } from "../../src/methods/index.ts";
import { cnn } from "../../src/models/cnn.ts";
import { type MethodCase, methodCase, prepare, shardedCase, unlearn } from "./method-case.ts";

/** Convolution, batch normalisation, a hidden layer and a head: what methods distinguish. */
const architecture = cnn([1, 8, 8], 4, {
  id: "tiny",
  blocks: [{ channels: 4, kernel: 3, padding: 1, pool: 2 }],
  hidden: 8,
  batchNorm: true,
});

const cases = new Map<string, MethodCase>();
const sharded = new Map<string, MethodCase>();
beforeAll(async () => {
  for (const scope of ["class", "sample"] as const) {
    cases.set(scope, await methodCase(architecture, scope));
    sharded.set(scope, await shardedCase(cases.get(scope) as MethodCase));
  }
});

describe.each(Object.values(methods))("every method: $id", (method) => {
  /** One method is for models trained in shards. */
  const caseOf = (scope: string): MethodCase =>
    (method.id === "sisa" ? sharded : cases).get(scope) as MethodCase;
  const scopes = (["class", "sample"] as const).filter((scope) => method.scope.includes(scope));

  it("says what it is", () => {
    expect(method.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(method.guarantee).toMatch(/\.$/);
    expect(method.avoidWhen).toMatch(/\.$/);
    for (const name of Object.keys(method.grid))
      expect(method.config.safeParse({ [name]: "?" }).success).toBe(false);
  });

  it.each(scopes)("gives the same digest twice for scope %s and leaves its inputs alone", async (scope) => {
    const { request } = caseOf(scope);
    const before = digestArrays(request.weights);
    const [first, second] = [await unlearn(method, request), await unlearn(method, request)];
    expect(digestArrays(first.weights)).toBe(digestArrays(second.weights));
    expect(digestArrays(request.weights)).toBe(before);
    expect([...first.weights.keys()].sort()).toEqual([...request.weights.keys()].sort());
    for (const [name, values] of first.weights) expect(values).not.toBe(request.weights.get(name));
  });

  it.each(scopes)("reads the roles it declares and no others for scope %s", async (scope) => {
    const { request } = caseOf(scope);
    const read: string[] = [];
    const spy = (role: "forget" | "retain" | "validation") => {
      const samples = request[role];
      return {
        ...alteredSamples(samples, {}),
        gather: (positions: Uint32Array | readonly number[], out: Float32Array) => {
          read.push(role);
          samples.gather(positions, out);
        },
      };
    };
    const spied = { forget: spy("forget"), retain: spy("retain"), validation: spy("validation") };
    const prepared = await prepare(method, request);
    const { evidence } = await unlearn(method, { ...request, ...spied, prepared });
    const declared = [...method.needs, ...method.uses];
    for (const role of new Set(read)) expect(declared).toContain(role);
    for (const [role, { samples }] of Object.entries(evidence.read)) {
      expect(samples).toBeLessThanOrEqual(request[role as "forget"].count);
    }
  });

  it("refuses unknown settings, missing roles, empty sets and scopes it does not serve", async () => {
    const { request } = caseOf(scopes[0] ?? "class");
    await expect(unlearn(method, request, { alhpa: 1 })).rejects.toThrow(/alhpa/);
    for (const role of method.needs) {
      const { [role]: _, ...poor } = request;
      await expect(unlearn(method, { ...poor, prepared: new Map() })).rejects.toThrow(
        `Expected ${role} samples`,
      );
      const empty = { ...request, [role]: request[role].subset([]), prepared: new Map() };
      await expect(unlearn(method, empty)).rejects.toThrow(/got an empty set/);
    }
    for (const scope of ["class", "sample", "subject", "group"] as const) {
      if (method.scope.includes(scope)) continue;
      await expect(unlearn(method, { ...request, scope })).rejects.toThrow(/Expected a request of scope/);
    }
  });

  it("refuses forget samples among the retain samples, and weights with NaN", async () => {
    const { request } = caseOf(scopes[0] ?? "class");
    const overlapping = {
      ...request,
      retain: request.retain.subset([0, 1]),
      forget: request.retain.subset([1, 2]),
    };
    await expect(unlearn(method, overlapping)).rejects.toThrow(/got 1 in both/);
    const [first] = request.weights.keys();
    const spoilt = new Map(request.weights).set(first as string, new Float32Array(1).fill(Number.NaN));
    await expect(unlearn(method, { ...request, weights: spoilt })).rejects.toThrow();
  });

  it("stops within a step when it is cancelled, before the first and in the middle", async () => {
    const { request } = caseOf(scopes[0] ?? "class");
    const endOf = (run: ReturnType<typeof unlearn>): Promise<string> =>
      run.then(
        () => "finished",
        (error: unknown) => (isLetheError(error, "cancelled") ? "cancelled" : String(error)),
      );
    const given: Checkpoint[] = [];
    const keep = (checkpoint: Checkpoint): void => void given.push(checkpoint);
    expect(await endOf(unlearn(method, { ...request, onCheckpoint: keep }))).toBe("finished");
    // What takes no steps is through before it looks.
    if (given.length === 0) return;
    const atOnce = unlearn(method, { ...request, signal: AbortSignal.abort() });
    expect(await endOf(atOnce)).toBe("cancelled");
    if (given.length === 1) return;
    const controller = new AbortController();
    let before = 0;
    const abort = (): void => {
      before++;
      controller.abort();
    };
    const inside = unlearn(method, { ...request, signal: controller.signal, onCheckpoint: abort });
    expect([await endOf(inside), before]).toEqual(["cancelled", 1]);
  });

  it("goes on from any checkpoint to the same digest", async () => {
    const { request } = caseOf(scopes[0] ?? "class");
    const checkpoints: Checkpoint[] = [];
    const whole = await unlearn(method, {
      ...request,
      onCheckpoint: (checkpoint) => void checkpoints.push(checkpoint),
    });
    for (const resume of checkpoints) {
      const resumed = await unlearn(method, { ...request, resume });
      expect(digestArrays(resumed.weights)).toBe(digestArrays(whole.weights));
    }
  });

  it("throws on NaN in the samples it computes with", async () => {
    const { request } = caseOf(scopes[0] ?? "class");
    const marked = (count: number) => new Uint8Array(count).fill(1);
    const poison = (out: Float32Array, offset: number): void => {
      out[offset] = Number.NaN;
    };
    const spoil = (role: "forget" | "retain") =>
      alteredSamples(request[role], { features: { marked: marked(request[role].count), change: poison } });
    const { evidence } = await unlearn(method, request);
    for (const role of ["forget", "retain"] as const) {
      if ((evidence.read[role]?.reads ?? 0) === 0) continue;
      await expect(unlearn(method, { ...request, [role]: spoil(role) }), role).rejects.toThrow(/finite|NaN/);
    }
  });
});
