import { stripVTControlCharacters } from "node:util";

/** What the place of output can show. */
export interface TerminalMode {
  /** Columns of a line, at least 20. */
  readonly width: number;
  /** True where lines can be drawn again in place; elsewhere one line is printed for each event worth one. */
  readonly isInteractive: boolean;
  readonly hasColor: boolean;
}

/**
 * Reads the mode off an output stream and the environment: `NO_COLOR` and `TERM=dumb` take the colour away, a pipe
 * or a file takes colour and redrawing.
 */
export function terminalMode(
  stream: { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined },
  environment: { readonly TERM?: string | undefined; readonly NO_COLOR?: string | undefined },
): TerminalMode {
  const isDumb = environment.TERM === "dumb";
  const isInteractive = stream.isTTY === true && !isDumb;
  const noColor = (environment.NO_COLOR ?? "") !== "";
  return {
    width: Math.max(20, stream.columns ?? 80), // 80: what a file is read in
    isInteractive,
    hasColor: isInteractive && !noColor,
  };
}

/** How a text is meant; the colour follows from it. */
export type Tone = "strong" | "muted" | "good" | "bad" | "warn";

/** `text` in a tone where colours are to be had. */
export function paint(text: string, tone: Tone, { hasColor }: TerminalMode): string {
  return hasColor ? `\u001b[${SGR[tone]}m${text}\u001b[0m` : text;
}

/** Select Graphic Rendition codes of ECMA-48. */
const SGR: Readonly<Record<Tone, string>> = { strong: "1", muted: "2", good: "32", bad: "31", warn: "33" };

/** `text` without control characters: what an event says can move no cursor and paint nothing. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\p{Cc}/gu, "");
}

/** Columns that `text` takes: colour codes none, wide East Asian characters and pictures two. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(stripVTControlCharacters(text)))
    width += WIDE.test(segment) ? 2 : 1;
  return width;
}

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });
const WIDE =
  /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|[\uff01-\uff60]/u;

/** `text` (without colour) cut to `width` columns; an ellipsis stands for what was cut. */
export function truncateText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let cut = "";
  for (const { segment } of GRAPHEMES.segment(text)) {
    if (textWidth(cut + segment) > width - 1) break;
    cut += segment;
  }
  return width > 0 ? `${cut}…` : "";
}
