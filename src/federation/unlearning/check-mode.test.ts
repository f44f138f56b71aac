import { describe, expect, it } from "vitest";
import { type HistoryOperation, operationsOf, type Retention } from "../../history/retention.ts";
import { checkMode, type UnlearningScope } from "./check-mode.ts";
import { unlearningRules } from "./index.ts";

const PLAIN = { momentum: 0, rate: 1 };

function check(
  rule: keyof typeof unlearningRules,
  retention: Retention,
  settings = {},
  scope: UnlearningScope = "everything",
  server = PLAIN,
): void {
  checkMode(rule, unlearningRules[rule].demands(settings), { retention, scope, rounds: 10, server });
}

describe("checkMode", () => {
  it("lets every rule read a full history, and a window that holds all rounds", () => {
    for (const rule of ["medu", "kronecker-response", "retrain"] as const) {
      check(rule, { mode: "full" });
      check(rule, { mode: "window", rounds: 10 });
    }
  });

  it("refuses with the reason that the mode declares", () => {
    const expectRefusal = (operation: HistoryOperation, mode: Retention["mode"], work: () => void): void => {
      const reason: true | string = operationsOf[mode][operation];
      expect(reason).not.toBe(true);
      expect(work).toThrow(expect.objectContaining({ code: "LETHE_USAGE_MODE" }));
      expect(work).toThrow(String(reason));
    };
    expectRefusal("forget", "window", () => check("medu", { mode: "window", rounds: 9 }));
    expectRefusal("late-choice", "accumulator", () =>
      check("kronecker-response", { mode: "accumulator", alpha: 0 }),
    );
    expectRefusal("forget-window", "accumulator", () =>
      check("medu", { mode: "accumulator", alpha: 0 }, {}, "window"),
    );
    expectRefusal("late-choice", "hybrid", () =>
      check("kronecker-response", { mode: "hybrid", rounds: 3, alpha: 0 }),
    );
  });

  it("lets the discount of the sums through, and no other", () => {
    const sums: Retention = { mode: "accumulator", alpha: -0.15 };
    check("medu", sums, { alpha: -0.15 });
    expect(() => check("medu", sums, { alpha: -0.1 })).toThrow(/α = -0.15.*got -0.1/);
    expect(() => check("medu", sums, { alpha: -0.15 }, "everything", { momentum: 0.9, rate: 0.1 })).toThrow(
      /plain averaging/,
    );
  });

  it("lets rules take a client out of the window, where there is one", () => {
    check("kronecker-response", { mode: "hybrid", rounds: 3, alpha: 0 }, {}, "window");
    check("medu", { mode: "window", rounds: 3 }, {}, "window");
    expect(() => check("medu", { mode: "full" }, {}, "window")).toThrow(/a window for scope/);
  });
});
