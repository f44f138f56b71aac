import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { layoutOf } from "../kernel/layout.ts";
import { type CodecConfigInput, codecConfigSchema } from "./config.ts";
import { openRound } from "./decode-round.ts";
import { type EncodedRound, encodeRound, type Participant } from "./encode-round.ts";
import type { RoundEntries, RoundEntry } from "./entry.ts";
import { readRecord } from "./record.ts";
import { sampleClients } from "./sampling.ts";
import { createWorkspace } from "./workspace.ts";

const layout = layoutOf([
  { name: "dense", shape: [20, 25], role: "parameter" },
  { name: "bias", shape: [20], role: "parameter" },
  { name: "running", shape: [6], role: "buffer" },
]);
const frame = { layout, key: keyFromSeed(3) };
const nothing = { last: () => undefined, find: () => undefined, residual: () => undefined };

function updateOf(seed: number, scale = 1): Float32Array {
  const stream = randomStream(keyFromSeed(seed));
  return Float32Array.from({ length: layout.length }, () => scale * stream.normal());
}

function participantsOf(updates: readonly Float32Array[]): readonly Participant[] {
  return updates.map((update, index) => ({ client: `c${index}`, weight: 1 + index, update }));
}

/** A store in memory: rounds, and every client's last record. */
function memoryOf(config: CodecConfigInput) {
  const complete = codecConfigSchema.parse(config);
  const rounds = new Map<number, RoundEntries>();
  const residuals = new Map<string, Uint8Array>();
  const recordOf = (round: number, client: string): Uint8Array | undefined =>
    rounds.get(round)?.entries.find((entry) => entry.client === client)?.record;
  const lastRecord = (client: string) => {
    const round = [...rounds.keys()].reverse().find((at) => recordOf(at, client));
    const bytes = round === undefined ? undefined : recordOf(round, client);
    return round === undefined || !bytes ? undefined : { round, bytes };
  };
  return {
    accept(round: number, participants: readonly Participant[]): EncodedRound {
      const entries = encodeRound(round, participants, frame, complete, {
        last: lastRecord,
        find: recordOf,
        residual: (client) => residuals.get(client),
      });
      for (const [client, bytes] of entries.residuals) residuals.set(client, bytes);
      rounds.set(round, entries);
      return entries;
    },
    decode(round: number, client: string): Float32Array | undefined {
      const entries = rounds.get(round) as RoundEntries;
      const entry = entries.entries.find((one) => one.client === client);
      const out = new Float32Array(layout.length);
      return entry && openRound(entries, frame, complete, recordOf).decode(entry, out) ? out : undefined;
    },
  };
}

function relativeDistance(a: Float32Array, b: Float32Array): number {
  let distance = 0;
  let norm = 0;
  a.forEach((value, index) => {
    distance += (value - (b[index] as number)) ** 2;
    norm += value * value;
  });
  return Math.sqrt(distance / norm);
}

describe("temporal thresholding", () => {
  const memory = memoryOf({ rate: { bitsPerParameter: 6 }, threshold: { mode: "temporal", tau: 0.5 } });
  const first = updateOf(1);
  const near = first.map((value, index) => value * (1 + 0.05 * (index % 3)));
  const far = updateOf(2);
  memory.accept(0, participantsOf([first]));
  const second = memory.accept(1, participantsOf([near]));
  const third = memory.accept(4, participantsOf([near]));
  const fourth = memory.accept(5, participantsOf([far]));

  it("stores the first update, holds it for similar ones, and stores a different one", () => {
    expect(second.entries[0]).toMatchObject({ status: "held", reference: 0, record: undefined });
    expect(third.entries[0]).toMatchObject({ status: "held", reference: 0 });
    expect(fourth.entries[0]?.status).toBe("stored");
  });

  it("decodes a held update as the record that it refers to", () => {
    expect(memory.decode(1, "c0")).toEqual(memory.decode(0, "c0"));
    expect(relativeDistance(far, memory.decode(5, "c0") as Float32Array)).toBeLessThan(0.05);
  });

  it("compares with what is decoded, not with what was sent", () => {
    // At so low a rate the decoded record is nowhere near the update: the same update has to be stored again.
    const coarse = memoryOf({ rate: { stepPerRms: 8 }, threshold: { mode: "temporal", tau: 0.5 } });
    coarse.accept(0, participantsOf([first]));
    expect(coarse.accept(1, participantsOf([first])).entries[0]?.status).toBe("stored");
  });
});

describe("thresholding around the mean", () => {
  const common = updateOf(1);
  const near = [0, 1, 2].map((client) => {
    const own = updateOf(10 + client, 0.02);
    return common.map((value, index) => value + (own[index] as number));
  });
  const odd = updateOf(99);

  it("lets the mean stand for clients near to it, and stores the others' differences", () => {
    const memory = memoryOf({ rate: { bitsPerParameter: 6 }, threshold: { mode: "mean", tau: 0.7 } });
    const { entries, mean } = memory.accept(0, participantsOf([...near, odd]));
    expect(entries.map(({ status }) => status)).toEqual(["average", "average", "average", "stored"]);
    expect(mean).toBeDefined();
    expect(relativeDistance(odd, memory.decode(0, "c3") as Float32Array)).toBeLessThan(0.1);
    expect(memory.decode(0, "c0")).toEqual(memory.decode(0, "c1"));
  });

  it("keeps large elements of the difference and the mean elsewhere", () => {
    const config = { rate: { bitsPerParameter: 6 }, threshold: { mode: "element" as const, tau: 1.5 } };
    const memory = memoryOf(config);
    memory.accept(0, participantsOf([...near, odd]));
    const decoded = memory.decode(0, "c3") as Float32Array;
    const coarse = memoryOf({ ...config, threshold: { mode: "element" as const, tau: 100 } });
    coarse.accept(0, participantsOf([...near, odd]));
    const mean = coarse.decode(0, "c3") as Float32Array;
    const unchanged = decoded
      .subarray(0, layout.parameterLength)
      .filter((value, index) => value === mean[index]);
    // A normal number is within 1.5 deviations with probability .866.
    expect(unchanged.length / layout.parameterLength).toBeGreaterThan(0.75);
    expect(unchanged.length / layout.parameterLength).toBeLessThan(0.95);
    expect(relativeDistance(odd, decoded)).toBeLessThan(relativeDistance(odd, mean));
  });

  it("keeps the buffers of stored clients exactly", () => {
    const memory = memoryOf({ threshold: { mode: "mean", tau: 0 } });
    memory.accept(0, participantsOf([common, odd]));
    const decoded = memory.decode(0, "c1") as Float32Array;
    expect(decoded.subarray(layout.parameterLength)).toEqual(odd.subarray(layout.parameterLength));
  });
});

describe("sampling of stored clients", () => {
  const clients = Array.from({ length: 10 }, (_, index) => `c${index}`);

  it("draws ⌈κU⌉ clients, the same ones whatever the order they come in", () => {
    const sample = sampleClients(frame.key, 3, clients, 0.25);
    expect(sample.size).toBe(3);
    expect(sampleClients(frame.key, 3, [...clients].reverse(), 0.25)).toEqual(sample);
  });

  it("stores each client equally often", () => {
    const counts = new Map(clients.map((client) => [client, 0]));
    for (let round = 0; round < 2000; round++) {
      for (const client of sampleClients(frame.key, round, clients, 0.5)) {
        counts.set(client, (counts.get(client) ?? 0) + 1);
      }
    }
    // Five standard deviations of a binomial count.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(500));
  });

  it("records who took part without being stored, and who gave nothing", () => {
    const memory = memoryOf({ storedClientFraction: 0.5 });
    const present = participantsOf([updateOf(1), updateOf(2), updateOf(3), updateOf(4)]);
    const { entries } = memory.accept(0, [...present, { client: "gone", weight: 1, update: undefined }]);
    const statuses = entries.map(({ status }) => status).sort();
    expect(statuses).toEqual(["absent", "stored", "stored", "unsampled", "unsampled"]);
    expect(memory.decode(0, "gone")).toBeUndefined();
  });
});

describe("a rotation", () => {
  /** Rank two, whose factors move slowly; some columns dead. */
  const lowRank = (round: number): Float32Array => {
    const stream = randomStream(keyFromSeed(40));
    const factor = (length: number) =>
      Array.from({ length: 2 * length }, () => stream.normal() + 0.05 * round * stream.normal());
    const [rows, columns] = [factor(20), factor(25)];
    return Float32Array.from({ length: layout.length }, (_, index) => {
      const [row, column] = [Math.floor(index / 25), index % 25];
      if (index >= 500) return stream.normal();
      if (column % 5 === 0) return 0;
      const product = (at: number) => (rows[2 * row + at] as number) * (columns[2 * column + at] as number);
      return product(0) + product(1);
    });
  };
  const rate = { bitsPerParameter: 4 } as const;
  const rounds = [0, 1, 2, 3, 4, 5];
  const withRounds = (config: CodecConfigInput) => {
    const memory = memoryOf(config);
    const kept = rounds.map((round) => memory.accept(round, participantsOf([lowRank(round)])));
    const errors = rounds.map((round) =>
      relativeDistance(lowRank(round), memory.decode(round, "c0") as Float32Array),
    );
    return { memory, kept, errors };
  };

  it("is renewed in every period, and saves bits where updates resemble each other", () => {
    const plain = withRounds({ quantiser: "tcq8", rate });
    const { kept, errors } = withRounds({ quantiser: "tcq8", rate, rotation: { period: 3 } });
    const axes = kept.map(({ entries, round }) => {
      const record = entries[0]?.record as Uint8Array;
      return readRecord(record, { round, client: "c0" }).stages.reference?.round;
    });
    expect(axes).toEqual([undefined, 0, 0, undefined, 3, 3]);
    for (const round of [1, 2, 4, 5])
      expect(errors[round]).toBeLessThan(0.6 * (plain.errors[round] as number));
    expect(errors[0]).toBe(plain.errors[0]);
  });

  it("keeps dead rows exactly dead", () => {
    const { memory } = withRounds({ quantiser: "z", rate, rotation: { period: 10 } });
    const out = memory.decode(4, "c0") as Float32Array;
    for (let index = 0; index < 500; index += 5) expect(Object.is(out[index], 0)).toBe(true);
  });

  it("keeps the axes of two histories apart in one workspace", () => {
    const config = codecConfigSchema.parse({ rate, rotation: { period: 9 } });
    const workspace = createWorkspace();
    const decodedIn = (own: typeof workspace, start: number) => {
      const memory = memoryOf({ rate, rotation: { period: 9 } });
      const [first, second] = [start, start + 1].map((seed, round) =>
        memory.accept(round, participantsOf([lowRank(seed)])),
      ) as [EncodedRound, EncodedRound];
      const out = new Float32Array(layout.length);
      const [entry] = second.entries as [RoundEntry];
      openRound(second, frame, config, () => first.entries[0]?.record, own).decode(entry, out);
      return out;
    };
    for (const start of [0, 30])
      expect(decodedIn(workspace, start)).toEqual(decodedIn(createWorkspace(), start));
  });

  it("refuses a record whose axes are lost, and one whose axes are another's", () => {
    const config = codecConfigSchema.parse({ rotation: { period: 9 } });
    const { kept } = withRounds({ rotation: { period: 9 } });
    const [first, second, third] = kept as [EncodedRound, EncodedRound, EncodedRound, ...EncodedRound[]];
    const out = new Float32Array(layout.length);
    const decode = (find: () => Uint8Array | undefined) => {
      const [entry] = second.entries as [RoundEntry];
      openRound(second, frame, config, find).decode(entry, out);
    };
    decode(() => first.entries[0]?.record);
    for (const wrong of [undefined, second.entries[0]?.record, third.entries[0]?.record]) {
      expect(() => decode(() => wrong)).toThrow(/client "c0" in round/);
    }
  });
});

describe("a prediction", () => {
  const rate = { bitsPerParameter: 4 } as const;
  const rounds = [0, 1, 2, 3, 4, 5];
  /** Drifts away from what it was in round 0; in round 5 it turns round. */
  const similar = (round: number): Float32Array => {
    const [common, own] = [updateOf(70), updateOf(71 + round)];
    return common.map((value, index) => (round === 5 ? -1 : 1) * value + 0.3 * (own[index] as number));
  };
  const withRounds = (config: CodecConfigInput) => {
    const memory = memoryOf(config);
    const kept = rounds.map((round) => memory.accept(round, participantsOf([similar(round)])));
    const errors = rounds.map((round) =>
      relativeDistance(similar(round), memory.decode(round, "c0") as Float32Array),
    );
    return { kept, errors };
  };

  it("saves bits where updates resemble the client's earlier one, and is left out where they do not", () => {
    const plain = withRounds({ quantiser: "tcq8", rate });
    const { kept, errors } = withRounds({ quantiser: "tcq8", rate, prediction: { period: 4 } });
    const references = kept.map(({ entries, round }) => {
      const record = entries[0]?.record as Uint8Array;
      return readRecord(record, { round, client: "c0" }).stages.reference;
    });
    expect(references.map((reference) => reference?.round)).toEqual([
      undefined,
      0,
      0,
      0,
      undefined,
      undefined,
    ]);
    for (const round of [1, 2, 3]) {
      expect(references[round]?.weight).toBeGreaterThan(0.2);
      expect(errors[round]).toBeLessThan(0.9 * (plain.errors[round] as number));
    }
  });

  it("refuses a record whose reference is lost or leans on another", () => {
    const config = codecConfigSchema.parse({ prediction: { period: 9 }, rate });
    const { kept } = withRounds({ prediction: { period: 9 }, rate });
    const [first, second, third] = kept as [EncodedRound, EncodedRound, EncodedRound, ...EncodedRound[]];
    const out = new Float32Array(layout.length);
    const decode = (find: () => Uint8Array | undefined) => {
      const [entry] = second.entries as [RoundEntry];
      openRound(second, frame, config, find).decode(entry, out);
    };
    decode(() => first.entries[0]?.record);
    for (const wrong of [undefined, second.entries[0]?.record, third.entries[0]?.record]) {
      expect(() => decode(() => wrong)).toThrow(/client "c0" in round/);
    }
  });
});

describe("feedback", () => {
  const rounds = Array.from({ length: 24 }, (_, round) => round);
  /** ‖Σ (1+α)^(T−1−t) (ĥ_t − h_t)‖ / ‖Σ (1+α)^(T−1−t) h_t‖ over the parameters. */
  const errorOfSum = (config: CodecConfigInput, alpha: number): number => {
    const memory = memoryOf(config);
    const [exact, decoded] = [new Float32Array(520), new Float32Array(520)];
    for (const round of rounds) {
      const update = updateOf(100 + round);
      memory.accept(round, participantsOf([update]));
      const out = memory.decode(round, "c0") as Float32Array;
      for (let index = 0; index < 520; index++) {
        exact[index] = (1 + alpha) * (exact[index] as number) + (update[index] as number);
        decoded[index] = (1 + alpha) * (decoded[index] as number) + (out[index] as number);
      }
    }
    return relativeDistance(exact, decoded);
  };
  const base = { quantiser: "deadzone", rate: { bitsPerParameter: 1.5 } } as const;

  it.each([0, -0.15])(
    "leaves of a long sum's error little more than the last residual, at α = %d",
    (alpha) => {
      const plain = errorOfSum(base, alpha);
      expect(errorOfSum({ ...base, feedback: { alpha, residual: "float32" } }, alpha)).toBeLessThan(
        0.7 * plain,
      );
      expect(errorOfSum({ ...base, feedback: { alpha, residual: "int4" } }, alpha)).toBeLessThan(0.9 * plain);
    },
  );

  it("does not hand on ever larger errors where a record says less than nothing", () => {
    const few = { quantiser: "z", rate: { stepPerRms: 6 } } as const;
    const plain = errorOfSum(few, 0);
    expect(plain).toBeGreaterThan(1);
    expect(errorOfSum({ ...few, feedback: { alpha: 0, residual: "float32" } }, 0)).toBeLessThan(2 * plain);
  });

  it("makes the sum of the decoded updates and the residual exact", () => {
    const memory = memoryOf({ ...base, feedback: { alpha: 0, residual: "float32" } });
    const sum = new Float64Array(520);
    for (const round of rounds.slice(0, 6)) {
      const update = updateOf(round);
      const { residuals } = memory.accept(round, participantsOf([update]));
      const out = memory.decode(round, "c0") as Float32Array;
      const bytes = residuals.get("c0") as Uint8Array;
      const residual = new Float32Array(bytes.buffer, bytes.byteOffset, 520);
      for (let index = 0; index < 520; index++) {
        sum[index] = (sum[index] as number) + (update[index] as number) - (out[index] as number);
        expect(sum[index]).toBeCloseTo(residual[index] as number, 4);
      }
    }
  });

  it("refuses a damaged residual, and thresholds or samples beside it", () => {
    const config = codecConfigSchema.parse({ ...base, feedback: { alpha: 0, residual: "int4" } });
    const wrong = { ...nothing, residual: () => Uint8Array.of(1, 2) };
    const one = participantsOf([updateOf(1)]);
    expect(() => encodeRound(1, one, frame, config, wrong)).toThrow(/residual of 520/);
    for (const beside of [{ storedClientFraction: 0.5 }, { threshold: { mode: "temporal", tau: 1 } }]) {
      expect(codecConfigSchema.safeParse({ ...config, ...beside }).success).toBe(false);
    }
  });
});

describe("participants", () => {
  it("must have distinct names and positive weights", () => {
    const config = codecConfigSchema.parse({});
    const one = { client: "a", weight: 1, update: updateOf(1) };
    for (const wrong of [
      [one, one],
      [{ ...one, weight: 0 }],
      [{ ...one, weight: Number.NaN }],
      [{ ...one, client: "" }],
    ]) {
      expect(() => encodeRound(0, wrong, frame, config, nothing)).toThrow(/round 0/);
    }
  });

  it("may have names of any kind, up to 255 bytes", () => {
    const memory = memoryOf({});
    const names = ["站点-7", "a/b?c=d", "x".repeat(255)];
    memory.accept(
      2,
      names.map((client) => ({ client, weight: 1, update: updateOf(1) })),
    );
    for (const name of names) expect(memory.decode(2, name)).toHaveLength(layout.length);
    const long = [{ client: "é".repeat(128), weight: 1, update: updateOf(1) }];
    expect(() => memory.accept(3, long)).toThrow(/at most 255 bytes, got 256/);
  });
});
