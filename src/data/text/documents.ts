/** What a text of its own is, in a file of text alone: what stands between empty lines, a line, or a stretch of words. */
export const DOCUMENT_KINDS = ["paragraphs", "lines", "stretches"] as const;

/** One of {@link DOCUMENT_KINDS}. */
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

/** How a file is cut into documents. */
export interface CutOptions {
  /** `auto`: the first kind that gives enough documents, in the order of {@link DOCUMENT_KINDS}. */
  readonly documents: DocumentKind | "auto";
  /** Characters of a stretch at most, ≥ 2. */
  readonly stretch: number;
  /** Share of the documents that is put aside, in (0, 1): so many are enough that it is at least one, and one is left. */
  readonly testFraction: number;
}

/**
 * Cuts a file of text into documents, none of which is blank. A document is what is forgotten or put aside as a whole.
 *
 * @returns in the order of the file; fewer than enough where no kind gives them
 */
export function cutDocuments(
  contents: string,
  { documents, stretch, testFraction }: CutOptions,
): readonly string[] {
  const cut = (kind: DocumentKind): readonly string[] =>
    piecesOf(contents, kind, stretch).filter((part) => part.trim() !== "");
  if (documents !== "auto") return cut(documents);
  for (const kind of DOCUMENT_KINDS) {
    const texts = cut(kind);
    if (texts.length > 1 && Math.round(testFraction * texts.length) > 0) return texts;
  }
  return cut("stretches");
}

function piecesOf(contents: string, kind: DocumentKind, stretch: number): readonly string[] {
  switch (kind) {
    case "paragraphs":
      return contents.split(/(?:\r?\n[ \t]*){2,}/);
    case "lines":
      return contents.split(/\r?\n/);
    case "stretches":
      // As long as may be with a blank at the end; a word longer than that is cut. No character is lost.
      return contents.match(new RegExp(`[^]{1,${stretch - 1}}(?:\\s|$)|[^]{1,${stretch}}`, "gu")) ?? [];
    default:
      return kind satisfies never;
  }
}
