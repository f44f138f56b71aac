import type { LetheEvent } from "../kernel/events.ts";

/** The progress display: one line that is rewritten on a terminal, a few plain lines elsewhere; always on stderr. */
export interface Terminal {
  begin(title: string): void;
  show(event: LetheEvent): void;
  say(line: string): void;
  clear(): void;
}

/** Opens the display of this process. */
export function createTerminal(): Terminal {
  return {
    begin: (title) => process.stderr.write(`${title}\n`),
    show: () => {},
    say: (line) => process.stderr.write(`${line}\n`),
    clear: () => {},
  };
}
