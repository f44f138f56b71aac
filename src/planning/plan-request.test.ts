import { describe, expect, it } from "vitest";
import { methods } from "../methods/index.ts";
import { MEASURED_METHODS } from "./measured-methods.ts";
import { type PlannedRequest, planRequest } from "./plan-request.ts";

const all = Object.values(methods);
const base: PlannedRequest = {
  scope: "class",
  counts: { forget: 100, retain: 900, validation: 50 },
  recipe: { epochs: 10 },
  trainingSeconds: 1000,
  prepared: new Set(),
  mostSeconds: 600,
};
const plan = (changes: Partial<PlannedRequest> = {}) => planRequest(all, { ...base, ...changes });
const candidate = (id: string, changes: Partial<PlannedRequest> = {}) =>
  plan(changes).candidates.find((entry) => entry.id === id);

describe("a plan for a request", () => {
  it("holds every method of its scope but the controls, the cheapest first, with guarantee and cost", () => {
    const { candidates } = plan();
    const wanted = all.filter(({ scope }) => scope.includes("class")).length - 2;
    expect(candidates).toHaveLength(wanted);
    expect(candidates.map(({ id }) => id)).not.toContain("do-nothing");
    const shares = candidates.map(({ cost }) => cost.share);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    for (const { guarantee, cost } of candidates) {
      expect(guarantee).not.toBe("");
      expect(cost.gradientEvaluations).toBeGreaterThanOrEqual(0);
    }
    // 10 epochs of 900 samples, in nine tenths of the time the training took.
    expect(candidate("retrain")?.cost).toMatchObject({ gradientEvaluations: 9000, share: 1, seconds: 900 });
  });

  it("leaves out methods that do not serve its scope", () => {
    const narrow = { ...methods["fine-tune"], id: "narrow", scope: ["class"] } as never;
    expect(planRequest([narrow], base).candidates).toHaveLength(1);
    expect(planRequest([narrow], { ...base, scope: "sample" }).candidates).toEqual([]);
  });

  it("predicts by committed comparisons where a method was measured, and says where it guesses", () => {
    const [measured] = MEASURED_METHODS.filter(({ method }) => method === "fine-tune");
    expect(candidate("fine-tune")?.cost).toMatchObject({ basis: "measured" });
    expect(candidate("fine-tune")?.measuredGap).toBeGreaterThan(0);
    expect(measured?.scope).toBe("class");
    const guessed = planRequest([{ ...methods["fine-tune"], id: "unheard-of" } as never], base).candidates[0];
    // One epoch of the retained samples, of ten.
    expect(guessed?.cost).toMatchObject({ basis: "schedule", share: 0.1 });
  });

  it("chooses retraining where there is time for it, or where nobody knows how long it takes", () => {
    expect(plan({ mostSeconds: 900 })).toMatchObject({
      choice: "retrain",
      why: expect.stringMatching(/exact/),
    });
    const unknown = plan({ trainingSeconds: undefined });
    expect([unknown.choice, unknown.why]).toEqual(["retrain", expect.stringMatching(/Nothing says/)]);
    expect(unknown.candidates.every(({ cost }) => cost.seconds === undefined)).toBe(true);
  });

  it("else chooses the method that was measured nearest among those that are fast enough and lack nothing", () => {
    const { choice, why, candidates } = plan();
    const chosen = candidates.find(({ id }) => id === choice);
    expect(chosen?.lacks).toEqual([]);
    expect(chosen?.cost.seconds).toBeLessThanOrEqual(600);
    for (const { id, cost, lacks, measuredGap = Number.POSITIVE_INFINITY } of candidates) {
      if (id === "retrain" || lacks.length > 0 || (cost.seconds ?? 0) > 600) continue;
      expect(measuredGap).toBeGreaterThanOrEqual(chosen?.measuredGap ?? Number.NaN);
    }
    expect(why).toMatch(/audit the result/);
    expect(planRequest([methods.retrain as never], base).why).toMatch(/no method that was measured/);
  });

  it("says what a method lacks here: held-out samples, or a preparation that is not there", () => {
    const needing = all.find(({ needs, scope }) => needs.includes("validation") && scope.includes("class"));
    const without = { ...base.counts, validation: 0 };
    if (needing !== undefined) {
      expect(candidate(needing.id, { counts: without })?.lacks[0]).toMatch(/--validation/);
    }
    expect(candidate("sisa")?.lacks.join()).toMatch(/--sisa/);
    expect(candidate("sisa", { isSharded: true })?.lacks).toEqual([]);
    const prepared = all.find(({ prepare, scope }) => prepare !== undefined && scope.includes("class"));
    expect(candidate(prepared?.id ?? "")?.lacks.join()).toMatch(/preparation/);
    expect(candidate(prepared?.id ?? "", { prepared: new Set([prepared?.id ?? ""]) })?.lacks).toEqual([]);
  });
});
