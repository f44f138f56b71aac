import { describe, expect, it } from "vitest";
import { DEFAULT_TOLERANCE, type JudgedModel, judge, shortcomings } from "./verdict.ts";

const retrained: JudgedModel = { accuracy: 0.9, attackSuccess: 0.02, removedClientAccuracy: 0.8 };
const trained: JudgedModel = { accuracy: 0.9, attackSuccess: 0.95, removedClientAccuracy: 0.81 };
const unlearned: JudgedModel = { accuracy: 0.895, attackSuccess: 0.05, removedClientAccuracy: 0.82 };
const fineTuned: JudgedModel = { accuracy: 0.91, attackSuccess: 0.6, removedClientAccuracy: 0.8 };
const all = { trained, unlearned, retrained, fineTuned };

describe("an unlearned model", () => {
  it("passes when it is within the limits and the controls behave", () => {
    const { verdict, reasons, controls } = judge(all, true);
    expect(verdict).toBe("pass");
    expect(reasons).toEqual([
      expect.stringMatching(/as good as the retrained one.*the trained model is not/),
    ]);
    expect(controls.map(({ expected, outcome }) => [expected, outcome])).toEqual([
      ["fail", "fail"],
      ["pass", "pass"],
      ["fail", "fail"],
    ]);
  });

  it.each([
    ["its accuracy", { accuracy: 0.88 }, /Accuracy is 2\.0 points below retraining's 90\.0 %/],
    ["the attack", { attackSuccess: 0.4 }, /The attack still succeeds on 40\.0 % .* retraining on 2\.0 %/],
    [
      "what it knows",
      { removedClientAccuracy: 0.87 },
      /knows the removed data 7\.0 points better .* 80\.0 %/,
    ],
  ])("fails for %s alone, and the reason says by how much", (_what, change, reason) => {
    const { verdict, reasons } = judge({ ...all, unlearned: { ...unlearned, ...change } }, true);
    expect(verdict).toBe("fail");
    expect(reasons).toEqual([expect.stringMatching(reason)]);
  });

  it("takes a second retrained model as the control that must pass, and refuses when it does not", () => {
    const close = { ...retrained, accuracy: retrained.accuracy - 0.005 };
    const passed = judge({ ...all, retrainedAgain: close }, true);
    expect(passed.verdict).toBe("pass");
    expect(passed.controls[1]).toMatchObject({ title: expect.stringContaining("again"), outcome: "pass" });
    const far = { ...retrained, accuracy: retrained.accuracy - 0.05 };
    const refused = judge({ ...all, retrainedAgain: far }, true);
    expect(refused.verdict).toBe("refused");
    expect(refused.reasons.join()).toContain("Retrained again");
  });

  it("fails with every reason there is", () => {
    const bad = { accuracy: 0.1, attackSuccess: 1, removedClientAccuracy: 1 };
    expect(judge({ ...all, unlearned: bad }, true).reasons).toHaveLength(3);
  });

  it("may be better than the retrained one where that is no sign of memory", () => {
    const better = { accuracy: 0.99, attackSuccess: 0, removedClientAccuracy: 0.5 };
    expect(judge({ ...all, unlearned: better }, true).verdict).toBe("pass");
  });

  it("just within each limit passes, just beyond fails", () => {
    const { accuracy, attackSuccess, removedClientAccuracy } = DEFAULT_TOLERANCE;
    const edge = (sign: number): JudgedModel => ({
      accuracy: 0.9 - accuracy - sign * 1e-9,
      attackSuccess: 0.02 + attackSuccess + sign * 1e-9,
      removedClientAccuracy: 0.8 + removedClientAccuracy + sign * 1e-9,
    });
    expect(shortcomings(edge(-1), retrained, DEFAULT_TOLERANCE)).toHaveLength(0);
    expect(shortcomings(edge(1), retrained, DEFAULT_TOLERANCE)).toHaveLength(3);
  });

  it.each(["accuracy", "attackSuccess", "removedClientAccuracy"] as const)(
    "does not pass with a %s that is no number",
    (figure) => {
      expect(judge({ ...all, unlearned: { ...unlearned, [figure]: Number.NaN } }, true).verdict).toBe("fail");
    },
  );
});

describe("a verdict is refused", () => {
  it("when the trained model would pass too", () => {
    const { verdict, reasons } = judge({ ...all, trained: retrained }, true);
    expect(verdict).toBe("refused");
    expect(reasons).toEqual([expect.stringMatching(/Trained, nothing removed.*should fail but did pass/)]);
  });

  it("when fine-tuning would pass too", () => {
    const { verdict, reasons } = judge({ ...all, fineTuned: unlearned }, true);
    expect(verdict).toBe("refused");
    expect(reasons).toEqual([
      expect.stringMatching(/Fine-tuned by the kept clients.*should fail but did pass/),
    ]);
  });

  it("when even the retrained model does not pass", () => {
    const impossible = { accuracy: -0.1, attackSuccess: 0, removedClientAccuracy: 0 };
    const { verdict, reasons } = judge(all, true, impossible);
    expect(verdict).toBe("refused");
    expect(reasons).toEqual([expect.stringMatching(/Retrained.*should pass but did fail/)]);
    const noNumber = { ...retrained, accuracy: Number.NaN };
    expect(judge({ ...all, retrained: noNumber }, true).verdict).toBe("refused");
  });

  it("with a reason for every control that misbehaves, even for a model that fails", () => {
    const bad = { accuracy: 0, attackSuccess: 1, removedClientAccuracy: 1 };
    const { verdict, reasons } = judge(
      { trained: retrained, unlearned: bad, retrained, fineTuned: retrained },
      true,
    );
    expect(verdict).toBe("refused");
    expect(reasons).toHaveLength(2);
  });
});

describe("without an attack", () => {
  const honest = ({ accuracy, removedClientAccuracy }: JudgedModel): JudgedModel => ({
    accuracy,
    attackSuccess: undefined,
    removedClientAccuracy,
  });
  const models = {
    trained: honest(trained),
    unlearned: honest(unlearned),
    retrained: honest(retrained),
    fineTuned: honest(fineTuned),
  };

  it("a pass is refused when the trained model passes too: there was no mark to remove", () => {
    const { verdict, reasons, controls } = judge(models, false);
    expect(verdict).toBe("refused");
    expect(reasons).toEqual([expect.stringMatching(/but so is the trained one.*left no mark/)]);
    expect(controls.map(({ expected, outcome }) => [expected, outcome])).toEqual([
      ["fail", "pass"],
      ["pass", "pass"],
    ]);
  });

  it("a model passes when the trained one knows the removed data too well", () => {
    const marked = { ...models.trained, removedClientAccuracy: 0.95 };
    expect(judge({ ...models, trained: marked }, false).verdict).toBe("pass");
  });

  it("a retrained model that fails refuses the verdict, whatever the unlearned one does", () => {
    const impossible = { accuracy: -0.1, attackSuccess: 0, removedClientAccuracy: 0 };
    const { verdict, reasons } = judge(models, false, impossible);
    expect(verdict).toBe("refused");
    expect(reasons).toEqual([expect.stringMatching(/Retrained.*should pass but did fail/)]);
  });

  it("a model that lost its accuracy still fails", () => {
    expect(judge({ ...models, unlearned: { ...models.unlearned, accuracy: 0.5 } }, false).verdict).toBe(
      "fail",
    );
  });

  it("a missing fine-tuned model leaves its control out", () => {
    expect(judge({ ...all, fineTuned: undefined }, true).controls).toHaveLength(2);
  });
});
