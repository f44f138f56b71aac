import { describe, expect, it } from "vitest";
import type { Figure } from "./figures.ts";
import type { MeasureGroup } from "./measures/measure.ts";
import { floorOf, judgeAudit } from "./verdict.ts";

const RETRAINED = [0.49, 0.5, 0.51, 0.5, 0.48, 0.52];

/** A figure on which the original and the controls stand apart and the unlearned model does not. */
function figure(id: string, group: MeasureGroup, changes: Partial<Figure> = {}): Figure {
  const measure: Figure["measure"] = {
    id,
    title: `Title of ${id}`,
    group,
    unit: "share",
    scale: "linear",
    resolution: 0.01,
    above: "is above",
    below: "is below",
  };
  return {
    measure,
    original: 0.9,
    unlearned: 0.51,
    retrained: RETRAINED,
    controls: { "random-init": 0.1, ruin: 0, "head-only": 0.8 },
    ci: { low: -0.01, high: 0.02 },
    samplingError: 0.001,
    ...changes,
  };
}

const pair = (removal: Partial<Figure> = {}, utility: Partial<Figure> = {}): readonly Figure[] => [
  figure("removal", "removal", removal),
  figure("utility", "utility", utility),
];

describe("the verdict of an audit", () => {
  it("passes a model among the retrained ones when all controls came out as they must", () => {
    const { verdict, reasons, controls } = judgeAudit(pair());
    expect([verdict, reasons]).toEqual(["pass", [expect.stringMatching(/Title of removal/)]]);
    expect(controls.map(({ id }) => id)).toEqual([
      "original",
      ...[1, 2, 3, 4, 5, 6].map((number) => `retrained-${number}`),
      "random-init",
      "ruin",
      "head-only",
    ]);
    expect(controls.every(({ expected, outcome }) => expected === outcome)).toBe(true);
  });

  it("fails a model on either side of the retrained ones, with what it would take to pass", () => {
    const under = judgeAudit(pair({ unlearned: 0.88 }));
    expect(under.verdict).toBe("fail");
    expect(under.reasons).toEqual([
      expect.stringMatching(
        /^The model is above: .*88\.0 %.*Anything from \d+\.\d % to \d+\.\d % would pass\.$/,
      ),
    ]);
    const over = judgeAudit(pair({ unlearned: 0.1 }));
    expect([over.verdict, over.reasons[0]]).toEqual(["fail", expect.stringMatching(/^The model is below/)]);
    expect(judgeAudit(pair({}, { unlearned: 0.2 })).verdict).toBe("fail");
    expect(judgeAudit(pair({ unlearned: Number.NaN })).verdict).toBe("fail");
  });

  it("refuses a pass when the original does not stand apart by twice the band, and says how many references would do", () => {
    const { verdict, reasons } = judgeAudit(pair({ original: 0.63 }));
    expect(verdict).toBe("refused");
    expect(reasons[0]).toMatch(/cannot show removal\. About \d+ references/);
    expect(judgeAudit(pair({ original: 0.5 })).reasons[0]).toMatch(
      /More references would hardly change this/,
    );
  });

  it("does not take a difference in use for a trace of the forgotten samples", () => {
    expect(judgeAudit(pair({ original: 0.5 }, { original: 0.9 })).verdict).toBe("refused");
  });

  it("still fails a damaged model where the original left no mark", () => {
    expect(judgeAudit(pair({ original: 0.5, unlearned: 0.1 })).verdict).toBe("fail");
  });

  it("refuses everything when a retrained model fails among its fellows", () => {
    const retrained = [0.5, 0.5, 0.501, 0.499, 0.5, 0.9];
    const { verdict, reasons } = judgeAudit(pair({ retrained, unlearned: 0.1 }));
    expect([verdict, reasons[0]]).toEqual(["refused", expect.stringMatching(/^Retrained model 6/)]);
  });

  it("refuses a pass when a control that must fail passes", () => {
    for (const id of ["random-init", "ruin", "head-only"]) {
      const controls = { "random-init": 0.1, ruin: 0, "head-only": 0.8, [id]: 0.5 };
      const { verdict, reasons } = judgeAudit(pair({ controls }, { controls }));
      expect([verdict, reasons[0]]).toEqual(["refused", expect.stringMatching(/should fail but passes/)]);
    }
  });

  it("does not judge more finely than the samples allow", () => {
    const few = { retrained: [1, 1, 1, 1, 1, 0.95], unlearned: 0.95, samplingError: 0.03 };
    expect(judgeAudit(pair({}, few)).verdict).toBe("pass");
    expect(judgeAudit(pair({}, { ...few, samplingError: 0.001 })).verdict).toBe("refused");
  });

  it("shows a reported measure without judging by it", () => {
    const reported = figure("reported", "reported", { unlearned: 0, retrained: [0, 0, 0, 0, 0, 1] });
    expect(judgeAudit([...pair(), reported]).verdict).toBe("pass");
  });

  it("gives as floor the mean distance of a retrained model from the others", () => {
    expect(floorOf(figure("f", "removal", { retrained: [0, 1] }))).toBe(1);
    expect(floorOf(figure("f", "removal", { retrained: [0, 0, 3] }))).toBeCloseTo((1.5 + 1.5 + 3) / 3, 12);
  });
});
