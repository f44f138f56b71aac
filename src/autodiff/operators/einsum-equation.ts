import { LetheError } from "../../kernel/errors.ts";

/** An equation of Einsum with a label for every axis. */
export interface EinsumEquation {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** Names the axes an ellipsis stands for, of which operands share the last ones. */
const ELLIPSIS = "...";

/**
 * Reads an equation such as `bij,bjk->bik`, `...ij,jk` or `ii->i`. Without an arrow the output has the axes of the ellipsis, then
 * the letters that occur once, in alphabetical order.
 *
 * @param ranks - how many axes each operand has
 * @throws LETHE_DATA_ATTRIBUTE for an equation that cannot be read or does not fit the ranks
 */
export function einsumEquation(equation: string, ranks: readonly number[]): EinsumEquation {
  const [left = "", right, ...more] = equation.replaceAll(/\s/g, "").split("->");
  const terms = left.split(",").map(axesOfTerm);
  const fits =
    more.length === 0 &&
    terms.length === ranks.length &&
    terms.every((term, index) => {
      const rank = ranks[index] as number;
      return term.includes(ELLIPSIS) ? term.length - 1 <= rank : term.length === rank;
    });
  if (!fits) throw unreadable(equation, `a term for each input, of its ${ranks.join(", ")} axes`);
  const hidden = terms.map((term, index) =>
    term.includes(ELLIPSIS) ? (ranks[index] as number) - term.length + 1 : 0,
  );
  const most = Math.max(...hidden);
  const spelled = (term: readonly string[], count: number): string[] =>
    term.flatMap((label) =>
      label === ELLIPSIS
        ? Array.from({ length: count }, (_, axis) => `${ELLIPSIS}${most - count + axis}`)
        : label,
    );
  const operands = terms.map((term, index) => spelled(term, hidden[index] as number));
  const output = spelled(right === undefined ? implicitOutput(terms) : axesOfTerm(right), most);
  const known = new Set(operands.flat());
  if (new Set(output).size < output.length || output.some((label) => !known.has(label))) {
    throw unreadable(equation, "an output of distinct labels of its inputs");
  }
  if (most > 0 && !output.includes(`${ELLIPSIS}0`)) throw unreadable(equation, "an output with the ellipsis");
  return { operands, output };

  function axesOfTerm(term: string): string[] {
    const axes: string[] = term.match(/\.\.\.|[A-Za-z]/g) ?? [];
    const isWhole = axes.join("") === term && axes.indexOf(ELLIPSIS) === axes.lastIndexOf(ELLIPSIS);
    if (isWhole) return axes;
    throw unreadable(equation, "letters and at most one ellipsis in each term");
  }
}

function implicitOutput(terms: readonly (readonly string[])[]): string[] {
  const labels = terms.flat();
  const once = labels.filter((label) => labels.indexOf(label) === labels.lastIndexOf(label));
  const letters = once.filter((label) => label !== ELLIPSIS).toSorted();
  return labels.includes(ELLIPSIS) ? [ELLIPSIS, ...letters] : letters;
}

function unreadable(equation: string, expected: string): LetheError {
  return new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected an Einsum equation with ${expected}, got \`${equation}\`.`,
  );
}
