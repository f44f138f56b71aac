import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../../kernel/key.ts";
import { referenceMatrices } from "../../../runtime/linear-algebra/reference.ts";
import { readDeviations } from "../deviations.ts";
import type { RecordedUpdate } from "../history-reader.ts";
import { recordedHistory, type WrittenRound } from "../testing/recorded-history.ts";
import { client, denseModel, requestFor } from "../testing/request.ts";
import { basesOf } from "./bases.ts";
import { blocksOf } from "./blocks.ts";
import { factorSums } from "./factors.ts";
import { type Response, responseSums } from "./response.ts";

const [INPUTS, OUTPUTS] = [4, 3];
const model = denseModel(INPUTS, OUTPUTS);
const matrices = referenceMatrices();
const BIAS_ROW = INPUTS;

describe("the factors and the response of kept clients", () => {
  it("are the weighted covariances of the definition", async () => {
    const rounds = federation({ rounds: 5 });
    const { rows, columns, core } = await measure(rounds);
    let divisor = 0;
    const l = new Float64Array((INPUTS + 1) ** 2);
    const r = new Float64Array(OUTPUTS ** 2);
    for (const { participants } of rounds) {
      const kept = participants.slice(1);
      const total = kept.reduce((sum, { weight }) => sum + weight, 0);
      const shares = kept.map(({ weight }) => weight / total);
      divisor += 1 - shares.reduce((sum, p) => sum + p * p, 0);
      const mean = (i: number) => kept.reduce((sum, { update }, u) => sum + at(shares, u) * at(update, i), 0);
      for (const [u, { update }] of kept.entries()) {
        // Weight rows and the bias row lie one after another in this layout.
        const d = (row: number, column: number) =>
          at(update, row * OUTPUTS + column) - mean(row * OUTPUTS + column);
        for (let i = 0; i <= INPUTS; i++) {
          for (let j = 0; j <= INPUTS; j++) {
            for (let c = 0; c < OUTPUTS; c++)
              l[i * (INPUTS + 1) + j] = at(l, i * (INPUTS + 1) + j) + at(shares, u) * d(i, c) * d(j, c);
          }
          for (let c = 0; c < OUTPUTS; c++) {
            for (let k = 0; k < OUTPUTS; k++)
              r[c * OUTPUTS + k] = at(r, c * OUTPUTS + k) + at(shares, u) * d(i, c) * d(i, k);
          }
        }
      }
    }
    expectClose(
      rows,
      l.map((value) => value / divisor),
    );
    expectClose(
      columns,
      r.map((value) => value / divisor),
    );
    // Both bases are complete: the response sums up to the traces.
    expect(sum(core)).toBeCloseTo(trace(rows, INPUTS + 1), 4);
    expect(sum(core)).toBeCloseTo(trace(columns, OUTPUTS), 4);
  });

  it("do not move when the leaver's updates do", async () => {
    const rounds = federation({ rounds: 4 });
    const other = rounds.map(({ participants: [leaver, ...kept] }) => ({
      participants: [
        { ...(leaver as RecordedUpdate), update: new Float32Array(model.layout.length).fill(99) },
        ...kept,
      ],
    }));
    expect(await measure(other)).toEqual(await measure(rounds));
  });

  it("are those of exact records, on average, when records are dithered", async () => {
    const clean = await measure(federation({ rounds: 1500 }));
    const step = 1.5;
    const dithered = await measure(federation({ rounds: 1500, step }));
    const biased = await measure(federation({ rounds: 1500, step, isVarianceHidden: true }));
    const noise = step ** 2 / 12;
    // A standard error of the mean square is about √2·(1 + σ²)/√6000 ≈ 0.025 for each element summed.
    expectClose(dithered.rows, clean.rows, 0.15);
    expectClose(dithered.columns, clean.columns, 0.15);
    expect(sum(dithered.core) / sum(clean.core)).toBeCloseTo(1, 1);
    const bias = sum(biased.core) - sum(dithered.core);
    expect(bias / (noise * model.layout.length)).toBeCloseTo(1, 2);
  });

  it("drop rows in which kept clients agree, and with noise rows in which nothing but noise is seen", async () => {
    const dead = [1, BIAS_ROW];
    const exact = await measure(federation({ rounds: 40, dead }));
    expect(exact.live).toEqual([0, 2, 3]);
    const dithered = await measure(federation({ rounds: 40, dead, step: 0.8 }));
    expect(dithered.live).toEqual([0, 2, 3]);
  });

  it("need two kept clients in some round", async () => {
    const lonely = federation({ rounds: 3 }).map(({ participants }) => ({
      participants: participants.slice(0, 2),
    }));
    await expect(measure(lonely)).rejects.toThrow(/two kept clients/);
  });
});

interface Made {
  readonly rounds: number;
  /** Step of a dithered scalar quantiser; exact when left out. */
  readonly step?: number;
  readonly isVarianceHidden?: boolean;
  readonly dead?: readonly number[];
}

/** A leaver and four kept clients of unequal weight with standard normal updates. */
function federation({ rounds, step, isVarianceHidden = false, dead = [] }: Made): readonly WrittenRound[] {
  const values = randomStream(keyFromSeed(1));
  const dither = randomStream(keyFromSeed(2));
  return Array.from({ length: rounds }, () => ({
    participants: [0.2, 0.1, 0.2, 0.2, 0.3].map((weight, i) => {
      const update = Float32Array.from({ length: model.layout.length }, (_, at) => {
        const drawn = values.normal();
        const value = dead.includes(Math.floor(at / OUTPUTS)) ? 0 : drawn;
        if (step === undefined) return value;
        const shift = step * (dither.uniform() - 0.5);
        return step * Math.round((value + shift) / step) - shift;
      });
      const errorVariance = model.layout.slots.map(() => (step ?? 0) ** 2 / 12);
      return { client: client(i), weight, update, ...(isVarianceHidden ? {} : { errorVariance }) };
    }),
  }));
}

async function measure(rounds: readonly WrittenRound[]) {
  const request = requestFor(model, recordedHistory(rounds));
  const { layout, layers } = model;
  const deviations = readDeviations(request, "skip");
  const factors = factorSums(blocksOf(layout, layers), layout, matrices, undefined);
  for await (const round of deviations.pass()) await factors.add(round);
  const [factored] = factors.finish();
  if (factored?.factors === undefined || factored.live === undefined) throw new Error("expected factors");
  const bases = await basesOf(factored, matrices, 100, keyFromSeed(3));
  const responses = responseSums([{ block: factored.live, bases }], layout, matrices, undefined);
  for await (const round of deviations.pass()) await responses.add(round);
  const [response] = await responses.finish();
  return {
    rows: factored.factors.rows.matrix.data,
    columns: factored.factors.columns.matrix.data,
    live: factored.factors.rows.live,
    core: (response as Response).core,
  };
}

function at(values: ArrayLike<number>, i: number): number {
  return values[i] as number;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function trace(matrix: Float32Array, size: number): number {
  return matrix.reduce((total, value, i) => total + (i % (size + 1) === 0 ? value : 0), 0);
}

function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-4): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(Math.abs(at(a, i) - at(b, i))).toBeLessThan(tolerance);
}
