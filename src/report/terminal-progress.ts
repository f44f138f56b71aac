import type { LetheEvent, Scalars } from "../kernel/events.ts";
import { formatSeconds, formatSignificant } from "./format.ts";
import { paint, plainText, type TerminalMode, textWidth, truncateText } from "./terminal.ts";

/** How far a long operation is: a fold of its events, with the times at which they came. */
export interface ProgressState {
  readonly operation: string;
  readonly phase?: { readonly name: string; readonly index: number; readonly of: number };
  readonly step?: { readonly step: number; readonly of?: number };
  readonly scalars: Scalars;
  readonly startedAtMs: number;
  /** When the present phase began; the remaining time is reckoned from it. */
  readonly phaseAtMs: number;
}

/** The state before the first event. */
export function beginProgress(nowMs: number): ProgressState {
  return { operation: "", scalars: {}, startedAtMs: nowMs, phaseAtMs: nowMs };
}

/**
 * The state after an event. A phase forgets the steps of the one before.
 *
 * @param nowMs The time of the event, by the caller's clock.
 */
export function advanceProgress(state: ProgressState, event: LetheEvent, nowMs: number): ProgressState {
  switch (event.type) {
    case "started":
      return { ...beginProgress(nowMs), operation: plainText(event.operation) };
    case "phase": {
      const { step: _, ...rest } = state;
      const phase = { name: plainText(event.name), index: event.index, of: event.of };
      return { ...rest, phase, scalars: {}, phaseAtMs: nowMs };
    }
    case "step": {
      const step = { step: event.step, ...(event.of === undefined ? {} : { of: event.of }) };
      return { ...state, step, scalars: event.scalars };
    }
    case "checkpoint":
    case "notice":
      return state;
    default:
      return event satisfies never;
  }
}

/** The present phase as one line that fits the width: name, bar, step, remaining time, latest figures. */
export function renderProgress(state: ProgressState, nowMs: number, mode: TerminalMode): string {
  const { phase, step } = state;
  const place = phase === undefined ? "" : paint(`[${phase.index + 1}/${phase.of}] `, "muted", mode);
  const title = place + paint(phase?.name ?? state.operation, "strong", mode);
  const bar = step?.of === undefined ? [] : [renderBar(step.step / step.of)];
  const details = [...stepText(step), ...remainingText(state, nowMs), ...scalarTexts(state.scalars)];
  // The bar gives way first, then the last details: a narrow terminal still says what is running.
  const fits = (parts: readonly string[]) => textWidth(parts.join("  ")) <= mode.width;
  for (let kept = details.length; kept >= 0; kept--) {
    const shown = details.slice(0, kept);
    if (fits([title, ...bar, ...shown])) return [title, ...bar, ...shown].join("  ");
    if (kept <= 2 && fits([title, ...shown])) return [title, ...shown].join("  ");
  }
  return truncateText(phase?.name ?? state.operation, mode.width);
}

/**
 * The line to print for an event where nothing can be redrawn, if it is worth one: a start, a phase, a notice, and
 * each tenth of a phase's steps.
 *
 * @param before The state before `event`; steps are compared with it.
 */
export function renderEventLine(
  before: ProgressState,
  event: LetheEvent,
  nowMs: number,
  mode: TerminalMode,
): string | undefined {
  switch (event.type) {
    case "started":
      return plainText(event.operation);
    case "phase":
      return `[${event.index + 1}/${event.of}] ${plainText(event.name)}`;
    case "notice":
      return renderNotice(event, mode);
    case "checkpoint":
      return undefined;
    case "step": {
      if (event.of === undefined) return undefined;
      const tenth = (step: number) => Math.floor((10 * step) / (event.of ?? 1));
      if (tenth(event.step) <= tenth(before.step?.step ?? 0)) return undefined;
      const after = advanceProgress(before, event, nowMs);
      return `  ${[...stepText(after.step), ...remainingText(after, nowMs), ...scalarTexts(after.scalars)].join("  ")}`;
    }
    default:
      return event satisfies never;
  }
}

/** A notice as a line of its own, above the progress line. */
export function renderNotice(event: Extract<LetheEvent, { type: "notice" }>, mode: TerminalMode): string {
  return `${paint("note", "warn", mode)} ${plainText(event.message)} ${paint(`(${plainText(event.code)})`, "muted", mode)}`;
}

const BAR_COLUMNS = 20;

function renderBar(share: number): string {
  const filled = Math.floor(BAR_COLUMNS * Math.min(1, Math.max(0, share)));
  return "█".repeat(filled) + "░".repeat(BAR_COLUMNS - filled);
}

function stepText(step: ProgressState["step"]): readonly string[] {
  if (step === undefined) return [];
  return [step.of === undefined ? `step ${step.step}` : `${step.step} of ${step.of}`];
}

/** Steps of one phase take about the same time each: what is left follows from what was done. */
function remainingText({ step, phaseAtMs }: ProgressState, nowMs: number): readonly string[] {
  if (step?.of === undefined || step.step <= 0 || step.step >= step.of) return [];
  const leftSeconds = ((nowMs - phaseAtMs) / 1000 / step.step) * (step.of - step.step);
  return [
    `about ${leftSeconds < 1 ? "1\u00a0s" : formatSeconds(Math.round(leftSeconds)).replace(".0", "")} left`,
  ];
}

function scalarTexts(scalars: Scalars): readonly string[] {
  return Object.entries(scalars).map(
    ([name, value]) =>
      `${plainText(name)} ${typeof value === "number" ? formatScalar(value) : plainText(value)}`,
  );
}

function formatScalar(value: number): string {
  return Number.isInteger(value) ? String(value) : formatSignificant(value);
}
