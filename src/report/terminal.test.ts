import { describe, expect, it } from "vitest";
import type { LetheEvent } from "../kernel/events.ts";
import { paint, plainText, terminalMode, textWidth, truncateText } from "./terminal.ts";
import {
  advanceProgress,
  beginProgress,
  type ProgressState,
  renderEventLine,
  renderProgress,
} from "./terminal-progress.ts";
import { renderTerminalTable } from "./terminal-table.ts";

const WIDE = { width: 100, isInteractive: true, hasColor: false };
const spaced = (text: string | undefined) => text?.replaceAll("\u00a0", " ");

describe("terminalMode", () => {
  it("draws in colour on a terminal only, and never against NO_COLOR", () => {
    const tty = { isTTY: true, columns: 120 };
    expect(terminalMode(tty, {})).toEqual({ width: 120, isInteractive: true, hasColor: true });
    expect(terminalMode(tty, { NO_COLOR: "1" }).hasColor).toBe(false);
    expect(terminalMode(tty, { NO_COLOR: "" }).hasColor).toBe(true);
    expect(terminalMode(tty, { TERM: "dumb" })).toMatchObject({ isInteractive: false, hasColor: false });
    expect(terminalMode({}, {})).toEqual({ width: 80, isInteractive: false, hasColor: false });
  });
});

describe("terminal text", () => {
  it("measures and cuts by columns, not by code units", () => {
    expect([textWidth("abc"), textWidth("ü"), textWidth("水"), textWidth("\u001b[1mab\u001b[0m")]).toEqual([
      3, 1, 2, 2,
    ]);
    expect(truncateText("水水水", 4)).toBe("水…");
    expect(truncateText("abc", 3)).toBe("abc");
  });

  it("lets no control character of an event through", () => {
    expect(plainText("a\u001b[2Jb\n\tc\u0007")).toBe("ab c");
  });

  it("paints only where there are colours", () => {
    expect(paint("x", "good", WIDE)).toBe("x");
    expect(paint("x", "good", { ...WIDE, hasColor: true })).toBe("\u001b[32mx\u001b[0m");
  });
});

describe("progress", () => {
  const training: readonly LetheEvent[] = [
    { type: "started", operation: "simulate", details: {} },
    { type: "phase", name: "Training", index: 0, of: 3 },
    { type: "step", step: 10, of: 40, scalars: { loss: 0.41234, round: 10 } },
  ];
  /** The state after events that come five seconds apart. */
  const stateAfter = (events: readonly LetheEvent[]): ProgressState =>
    events.reduce((state, event, index) => advanceProgress(state, event, index * 5000), beginProgress(0));

  it("shows phase, bar, step, remaining time and the latest figures", () => {
    expect(spaced(renderProgress(stateAfter(training), 10_000, WIDE))).toBe(
      "[1/3] Training  █████░░░░░░░░░░░░░░░  10 of 40  about 15 s left  loss 0.412  round 10",
    );
  });

  it("never takes more columns than there are, and names the phase as long as it can", () => {
    for (let width = 20; width <= 100; width++) {
      const line = renderProgress(stateAfter(training), 10_000, { ...WIDE, width });
      expect(textWidth(line)).toBeLessThanOrEqual(width);
      expect(line).toContain("Training");
    }
  });

  it("forgets the steps of an earlier phase", () => {
    const state = stateAfter([...training, { type: "phase", name: "Unlearning", index: 1, of: 3 }]);
    expect(renderProgress(state, 15_000, WIDE)).toBe("[2/3] Unlearning");
  });

  it("says nothing of the time left before the first step and after the last", () => {
    for (const step of [0, 40]) {
      const state = stateAfter([...training.slice(0, 2), { type: "step", step, of: 40, scalars: {} }]);
      expect(renderProgress(state, 10_000, WIDE)).not.toContain("left");
    }
  });

  it("prints a line a tenth where nothing can be redrawn", () => {
    const plain = { ...WIDE, isInteractive: false };
    let state = stateAfter(training.slice(0, 2));
    const lines: (string | undefined)[] = [];
    for (let step = 1; step <= 40; step++) {
      const event: LetheEvent = { type: "step", step, of: 40, scalars: {} };
      lines.push(renderEventLine(state, event, 5000 + step * 100, plain));
      state = advanceProgress(state, event, 5000 + step * 100);
    }
    const printed = lines.filter((line) => line !== undefined);
    expect(printed).toHaveLength(10);
    expect(spaced(printed[0])).toBe("  4 of 40  about 4 s left");
  });

  it("prints starts, phases and notices, not checkpoints", () => {
    const line = (event: LetheEvent) => renderEventLine(beginProgress(0), event, 0, WIDE);
    expect(training.slice(0, 2).map(line)).toEqual(["simulate", "[1/3] Training"]);
    expect(line({ type: "notice", code: "LOW_RHO", message: "ρ is low", details: {} })).toBe(
      "note ρ is low (LOW_RHO)",
    );
    expect(line({ type: "checkpoint", step: 1, digest: "sha256:0" })).toBeUndefined();
  });
});

describe("terminal table", () => {
  const table = {
    title: "Result",
    columns: [{ title: "" }, { title: "trained", numeric: true }, { title: "unlearned", numeric: true }],
    rows: [
      ["accuracy on clean test images", "91.0%", "91.3%"],
      ["attack success", "95.1%", "0.6%"],
    ],
  };

  it("lines numbers up at the right", () => {
    expect(renderTerminalTable(table, WIDE)).toEqual([
      "Result",
      "                               trained  unlearned",
      "─────────────────────────────  ───────  ─────────",
      "accuracy on clean test images    91.0%      91.3%",
      "attack success                   95.1%       0.6%",
    ]);
  });

  it("cuts text before numbers, and stacks what is still too wide", () => {
    const narrow = renderTerminalTable(table, { ...WIDE, width: 36 });
    expect(narrow.at(-2)).toBe("accuracy on cle…    91.0%      91.3%");
    const stacked = renderTerminalTable(table, { ...WIDE, width: 22 });
    expect(stacked.slice(1, 3)).toEqual(["accuracy on clean tes…", "  trained: 91.0%"]);
    for (const line of [...narrow, ...stacked]) expect(textWidth(line)).toBeLessThanOrEqual(36);
  });
});
