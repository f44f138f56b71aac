import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { samplesOf } from "../data/samples.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { type PartitionOptions, type PartitionStrategy, partition } from "./partition.ts";
import { parseClientSizes, parsePartition } from "./partition-parse.ts";

function samplesWith(labels: readonly number[], classCount: number) {
  return samplesOf({
    idPrefix: "t",
    featureShape: [1],
    features: { values: new Uint8Array(labels.length), divisor: 1 },
    labels: Int32Array.from(labels),
    classCount,
  });
}

/** Ten classes of equal size. */
function balanced(count: number) {
  return samplesWith(
    Array.from({ length: count }, (_, position) => position % 10),
    10,
  );
}

function classCounts(positions: Uint32Array): readonly number[] {
  return Array.from(
    { length: 10 },
    (_, label) => positions.filter((position) => position % 10 === label).length,
  );
}

const strategies: readonly PartitionStrategy[] = [
  { kind: "iid" },
  { kind: "dirichlet", alpha: 0.3 },
  { kind: "exclusive" },
];

describe("partition", () => {
  it("gives no sample to two clients, and the asked number to each", () => {
    const samples = balanced(3_000);
    fc.assert(
      fc.property(
        fc.constantFrom(...strategies),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 5, max: 60 }),
        fc.integer(),
        (strategy, clients, samplesPerClient, seed) => {
          const parts = partition(strategy, samples, { clients, samplesPerClient }, keyFromSeed(seed));
          expect(parts.map((part) => part.length)).toEqual(new Array(clients).fill(samplesPerClient));
          const all = parts.flatMap((part) => [...part]);
          expect(new Set(all).size).toBe(all.length);
          expect(all.every((position) => position < samples.count)).toBe(true);
          for (const part of parts) expect(part).toEqual(part.slice().sort());
        },
      ),
      { numRuns: 60 },
    );
  });

  it("gives all samples away when asked for all, whatever the classes' sizes", () => {
    const labels = fc.array(fc.nat(3), { minLength: 12, maxLength: 120 });
    fc.assert(
      fc.property(
        labels,
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.integer(),
        (list, alpha, seed) => {
          const clients = 3;
          const parts = partition(
            { kind: "dirichlet", alpha },
            samplesWith(list, 4),
            { clients },
            keyFromSeed(seed),
          );
          const each = Math.floor(list.length / clients);
          expect(new Set(parts.flatMap((part) => [...part])).size).toBe(each * clients);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("depends on the key alone", () => {
    const samples = balanced(1_000);
    for (const strategy of strategies) {
      const run = (seed: number) =>
        partition(strategy, samples, { clients: 5, samplesPerClient: 100 }, keyFromSeed(seed));
      expect(run(1)).toEqual(run(1));
      expect(run(1)).not.toEqual(run(2));
    }
  });

  it("gives each client 600 samples, or what there is", () => {
    const sizeOfFirst = (count: number) =>
      partition({ kind: "iid" }, balanced(count), { clients: 20 }, keyFromSeed(1))[0]?.length;
    expect(sizeOfFirst(60_000)).toBe(600);
    expect(sizeOfFirst(1_797)).toBe(89);
  });

  it("mixes classes evenly under iid", () => {
    const parts = partition({ kind: "iid" }, balanced(60_000), { clients: 20 }, keyFromSeed(4));
    for (const part of parts) {
      // Hypergeometric with mean 60 and deviation 7.3; five deviations.
      for (const count of classCounts(part)) expect(Math.abs(count - 60)).toBeLessThan(37);
    }
  });

  it("mixes classes as unevenly as the concentration says under dirichlet", () => {
    const samples = balanced(60_000);
    for (const alpha of [0.1, 0.3, 3]) {
      const parts = partition(
        { kind: "dirichlet", alpha },
        samples,
        { clients: 400, samplesPerClient: 60 },
        keyFromSeed(9),
      );
      const unevenness =
        parts.reduce((sum, part) => {
          const counts = classCounts(part);
          // Unbiased for Σ p²: pairs of equal class among all pairs.
          return sum + counts.reduce((inner, count) => inner + count * (count - 1), 0) / (60 * 59);
        }, 0) / parts.length;
      expect(Math.abs(unevenness - (alpha + 1) / (10 * alpha + 1))).toBeLessThan(0.04);
    }
  });

  it("leaves the last class to client 0 alone under exclusive, 60 % of its samples", () => {
    const parts = partition({ kind: "exclusive" }, balanced(20_000), { clients: 10 }, keyFromSeed(2));
    expect(parts.map((part) => classCounts(part)[9])).toEqual([360, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for (const count of classCounts(parts[1] as Uint32Array).slice(0, 9)) expect(count).toBeGreaterThan(30);
  });

  it("refuses what the samples do not suffice for", () => {
    const samples = balanced(100);
    const run = (strategy: PartitionStrategy, options: PartitionOptions) => () =>
      partition(strategy, samples, options, keyFromSeed(1));
    expect(run({ kind: "iid" }, { clients: 0 })).toThrow(/at least one client, got 0/);
    expect(run({ kind: "iid" }, { clients: 101 })).toThrow(/101 clients for 100 samples/);
    expect(run({ kind: "iid" }, { clients: 10, samplesPerClient: 11 })).toThrow(/1 to 10 samples/);
    expect(run({ kind: "exclusive" }, { clients: 2, samplesPerClient: 40 })).toThrow(/24 samples of class 9/);
    expect(run({ kind: "exclusive" }, { clients: 10 })).toThrow(/94 samples of the other classes/);
  });
});

describe("partition by group", () => {
  const towns = ["Ulm", "Bonn", "Ulm", "Aachen", "Ulm", "Bonn", "Trier", "Bonn"];
  const names = [...new Set(towns)];
  const samples = samplesOf({
    idPrefix: "t",
    featureShape: [1],
    features: { values: new Float32Array(towns.length) },
    labels: new Int32Array(towns.length),
    classCount: 2,
    groups: { town: { codes: Int32Array.from(towns, (town) => names.indexOf(town)), names } },
  });
  const run = (options: PartitionOptions, text = "group:town") =>
    partition(parsePartition(text), samples, options, keyFromSeed(1)).map((part) => [...part]);

  it("makes clients of the largest groups, whole", () => {
    expect(run({ clients: 3 })).toEqual([[1, 5, 7], [0, 2, 4], [3]]);
  });

  it("draws as many of a group as asked, however many the others have", () => {
    expect(run({ clients: 3, samplesPerClient: 3 })).toEqual(run({ clients: 3 }));
    const [first, second, third] = run({ clients: 3, samplesPerClient: 2 });
    expect([first, second, third].map((part) => part?.length)).toEqual([2, 2, 1]);
    for (const position of first ?? []) expect(towns[position]).toBe("Bonn");
  });

  it("refuses attributes and clients that there are none of", () => {
    expect(() => run({ clients: 5 })).toThrow(/each of 5 clients, got 4 values of `town`/);
    expect(() => run({ clients: 2 }, "group:city")).toThrow(
      /attribute of the samples \(town\), got `group:city`/,
    );
    expect(() => run({ clients: 2, sizes: { kind: "spread", ratio: 2 } })).toThrow(
      /as large as their groups/,
    );
    expect(() => run({ clients: 2 }, "group:")).toThrow(/or group:ATTRIBUTE/);
  });
});

describe("client sizes", () => {
  it("are spread as far as asked around the same mean", () => {
    const options = { clients: 20, samplesPerClient: 600, sizes: { kind: "spread", ratio: 10 } } as const;
    const sizes = partition({ kind: "iid" }, balanced(60_000), options, keyFromSeed(3)).map(
      (part) => part.length,
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(12_000);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeCloseTo(10, 1);
    const logs = sizes.map(Math.log).sort((a, b) => a - b);
    for (let rank = 1; rank < 20; rank++) {
      expect((logs[rank] as number) - (logs[rank - 1] as number)).toBeCloseTo(Math.log(10) / 19, 2);
    }
    expect(sizes).not.toEqual([...sizes].sort((a, b) => a - b));
  });

  it("leave no client empty", () => {
    const options = { clients: 20, samplesPerClient: 2, sizes: { kind: "spread", ratio: 1000 } } as const;
    expect(() => partition({ kind: "iid" }, balanced(100), options, keyFromSeed(3))).toThrow(/hold none/);
  });
});

describe("parsing", () => {
  it("reads every strategy and size", () => {
    expect(parsePartition("iid")).toEqual({ kind: "iid" });
    expect(parsePartition("exclusive")).toEqual({ kind: "exclusive" });
    expect(parsePartition("dirichlet:.3")).toEqual({ kind: "dirichlet", alpha: 0.3 });
    expect(parsePartition("dirichlet:1e-2")).toEqual({ kind: "dirichlet", alpha: 0.01 });
    expect(parseClientSizes("equal")).toEqual({ kind: "equal" });
    expect(parseClientSizes("spread:10")).toEqual({ kind: "spread", ratio: 10 });
  });

  it.each([
    "",
    "IID",
    "iid:1",
    "dirichlet",
    "dirichlet:",
    "dirichlet:0",
    "dirichlet:-1",
    "dirichlet:x",
    "dirichlet:1:2",
    "dirichlet:1e999",
  ])("refuses the partition %j as a usage error", (text) => {
    expect(() => parsePartition(text)).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringContaining(`\`${text}\``) }),
    );
  });

  it.each(["", "spread", "spread:0.5", "spread:ten", "log"])(
    "refuses the sizes %j as a usage error",
    (text) => {
      expect(() => parseClientSizes(text)).toThrow(expect.objectContaining({ kind: "usage" }));
    },
  );
});
