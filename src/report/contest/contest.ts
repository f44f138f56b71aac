import { LetheError } from "../../kernel/errors.ts";

/** Methods judged by the same retrained models on the same request. */
export interface Contest {
  /** `class:3 of mnist, mlp`. */
  readonly title: string;
  /** What was compared and how, in sentences. */
  readonly lead: readonly string[];
  /** What distances are measured in: `bands`, `points`. */
  readonly unit: string;
  /** What a distance of one unit means, and where nothing is left to gain. */
  readonly unitNote: string;
  /** What costs are shares of. */
  readonly costNote: string;
  /** Nearest to retraining first. */
  readonly contestants: readonly Contestant[];
  readonly figures: readonly ContestFigure[];
}

/** A value with a 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** One method. */
export interface Contestant {
  readonly name: string;
  /** Of an audit. */
  readonly verdict?: string;
  /** Mean distance from retrained models over figures of forgetting, and over figures of use. */
  readonly forgetting: Estimate;
  readonly utility: Estimate;
  /** Share of one retraining; left out where nothing says so. */
  readonly cost?: number;
  /** By the id of the figure. */
  readonly values: Readonly<Record<string, number>>;
}

/** One figure of all of them. */
export interface ContestFigure {
  readonly id: string;
  readonly title: string;
  readonly unit: "share" | "number";
  /** Mean of the retrained models. */
  readonly retrained: number;
  /** Two retrained models differ by less in 19 of 20 pairs. */
  readonly noise: number;
}

/** A document to be compared, with the name of its file. */
export interface NamedDocument<Document> {
  readonly name: string;
  readonly document: Document;
}

/** What makes two documents comparable: facts by the words for them, most telling first. */
export type ComparableFacts = Readonly<Record<string, unknown>>;

/**
 * Checks that documents are about one thing.
 *
 * @throws LETHE_DATA_INCOMPARABLE with what differs and why that matters
 */
export function expectComparable(documents: readonly NamedDocument<ComparableFacts>[]): void {
  const [first, ...others] = documents;
  for (const { name, document } of others) {
    const differing = Object.keys(document).filter(
      (what) => JSON.stringify(document[what]) !== JSON.stringify(first?.document[what]),
    );
    if (differing.length === 0) continue;
    throw new LetheError(
      "data",
      "DATA_INCOMPARABLE",
      `Expected documents about one request, but ${first?.name} and ${name} have ${differing.map((what) => `different ${what}`).join(", ")}. ` +
        "Distances to other retrained models, or on other data, cannot be ranked against each other.",
      { details: { differing: differing.join(", ") } },
    );
  }
}

/** What a ranking goes by: equal methods have equal sums, to the bit. */
export function distanceSum({ forgetting, utility }: Contestant): number {
  return forgetting.value + utility.value;
}

/** Names that tell contestants apart: the method's, with the file's where two share it. */
export function distinctNames(
  entries: readonly { readonly name: string; readonly file: string }[],
): string[] {
  return entries.map(({ name, file }) =>
    entries.filter((other) => other.name === name).length > 1 ? `${name} (${file})` : name,
  );
}
