/**
 * Addresses and numbers of one sequence of symbols, 4 bytes each; src/history/fast/sequence.ts writes and reads them. The coder's
 * state is taken up and left there.
 */
@unmanaged
export class Sequence {
  symbols: usize;
  sides: usize;
  /** Pairs of rows and columns. */
  planes: usize;
  planeCount: u32;
  /** The guide: [state · 256 + side], [2 (state · 256 + side) + parity], and its first state. */
  contexts: usize;
  next: usize;
  start: u32;
  /** Space for a mean of each column of the widest plane. */
  columnMeans: usize;
  bytes: usize;
  /** Bytes there are to read, or space there is to write. */
  length: u32;
  at: u32;
  /** `low` of a writer, `code` of a reader. */
  value: u32;
  range: u32;
}
