/** Words that differ in more than this share of their letters are no slips of the pen. */
const MAX_DIFFERENCE = 0.4;

/**
 * The known words most like a mistyped one, nearest first: those at an edit distance (letters inserted, deleted, exchanged;
 * capitals count as small) of at most two fifths of its length, and those it begins.
 *
 * @param most - at most so many
 * @returns distinct words of `known`
 * Source: V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals" (1966).
 */
export function closeWords(word: string, known: Iterable<string>, most = 3): readonly string[] {
  const wanted = word.toLowerCase();
  const limit = MAX_DIFFERENCE * word.length;
  return [...new Set(known)]
    .map((candidate) => ({ candidate, difference: differenceOf(wanted, candidate.toLowerCase(), limit) }))
    .filter(({ difference }) => difference <= limit)
    .sort((a, b) => a.difference - b.difference || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** 0 for a word that begins the other. */
function differenceOf(wanted: string, candidate: string, limit: number): number {
  if (candidate.startsWith(wanted)) return 0;
  // A difference in length is at least as many edits.
  return Math.abs(candidate.length - wanted.length) > limit ? Infinity : editDistance(wanted, candidate);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(exchanged, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
