import type { LetheEvent } from "../kernel/events.ts";
import { terminalMode } from "../report/terminal.ts";
import {
  advanceProgress,
  beginProgress,
  renderEventLine,
  renderNotice,
  renderProgress,
} from "../report/terminal-progress.ts";

/** The progress display: one line that is drawn again in place on a terminal, a few plain lines elsewhere; on stderr. */
export interface Terminal {
  /** A new operation. */
  begin(title: string): void;
  show(event: LetheEvent): void;
  /** A line of its own. */
  say(line: string): void;
  /** Takes the progress line away. */
  clear(): void;
}

/** Redraws at most this often. */
const FRAME_MS = 80;
const CLEAR_LINE = "\r\u001b[2K";

/** Opens the display of this process. */
export function createTerminal(): Terminal {
  const mode = terminalMode(process.stderr, process.env);
  let state = beginProgress(performance.now());
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  let isDrawn = false;

  const clear = (): void => {
    if (isDrawn) process.stderr.write(CLEAR_LINE);
    isDrawn = false;
  };
  const say = (line: string): void => {
    clear();
    process.stderr.write(`${line}\n`);
  };
  const draw = (nowMs: number): void => {
    if (nowMs - drawnAtMs < FRAME_MS) return;
    drawnAtMs = nowMs;
    process.stderr.write(`${CLEAR_LINE}${renderProgress(state, nowMs, mode)}`);
    isDrawn = true;
  };
  return {
    begin: (title) => {
      say(title);
      state = beginProgress(performance.now());
    },
    show: (event) => {
      const nowMs = performance.now();
      const before = state;
      state = advanceProgress(state, event, nowMs);
      if (!mode.isInteractive) {
        const line = renderEventLine(before, event, nowMs, mode);
        if (line !== undefined) say(line);
        return;
      }
      if (event.type === "notice") say(renderNotice(event, mode));
      draw(nowMs);
    },
    say,
    clear,
  };
}
