import { LetheError } from "../kernel/errors.ts";
import type { ModelLayout } from "../kernel/layout.ts";
import { firstAdaptive } from "./coding/first-adaptive.ts";
import { plainGuide } from "./coding/guide.ts";
import type { Plane } from "./coding/plane.ts";
import type { SymbolSequence } from "./coding/symbol-coder.ts";
import { type Matrix, matricesOf } from "./matrices.ts";

/**
 * Which parameters of an update are coded; the others are exactly 0. A quantiser would write noise into dead weights
 * and pay for it. `all`: every one. `lines`: all but whole rows and columns of zeros. `elements`: one flag each.
 */
export type SupportKind = "all" | "lines" | "elements";

/** The flags of a support, and the matrices that remain. */
export interface Support {
  readonly kind: SupportKind;
  /** 1 where something is coded. `lines`: rows, then columns of each tensor; `elements`: one per parameter. */
  readonly flags: Int32Array;
  readonly planes: readonly Plane[];
  /** Parameters that are coded. */
  readonly count: number;
}

/**
 * Finds what of an update has to be coded.
 *
 * @param values - at least the parameters of the layout; a prefix of them is read
 * @param perElement - whether single zeros are worth a flag each: only in sparse updates
 */
export function findSupport(values: Float32Array, layout: ModelLayout, perElement: boolean): Support {
  const matrices = matricesOf(layout);
  if (perElement) {
    const flags = new Int32Array(layout.parameterLength);
    for (let index = 0; index < flags.length; index++) flags[index] = values[index] === 0 ? 0 : 1;
    return supportOf("elements", flags, matrices);
  }
  const flags = new Int32Array(lineCount(matrices));
  let at = 0;
  for (const { offset, rows, columns } of matrices) {
    const columnFlags = flags.subarray(at + rows, at + lines({ rows, columns }));
    let liveColumns = rows > 1 ? 0 : columns;
    for (let row = 0; row < rows; row++) {
      let any = 0;
      const start = offset + row * columns;
      // Once all columns are known to live, one number is enough for a row.
      for (let column = 0; column < columns && (any === 0 || liveColumns < columns); column++) {
        if (values[start + column] === 0) continue;
        any = 1;
        if (liveColumns === columns || columnFlags[column] === 1) continue;
        columnFlags[column] = 1;
        liveColumns++;
      }
      flags[at + row] = any;
    }
    at += lines({ rows, columns });
  }
  return flags.includes(0) ? supportOf("lines", flags, matrices) : everything(layout);
}

/** The support of an update without zeros: nothing has to be sent. */
export function everything(layout: ModelLayout): Support {
  const planes = matricesOf(layout).map(({ rows, columns }) => ({ rows, columns }));
  return { kind: "all", flags: new Int32Array(0), planes, count: layout.parameterLength };
}

/** The coded parameters, densely. */
export function gather(values: Float32Array, layout: ModelLayout, support: Support): Float32Array {
  if (support.kind === "all") return values.subarray(0, layout.parameterLength);
  const dense = new Float32Array(support.count);
  if (support.kind === "elements") {
    const { flags } = support;
    let at = 0;
    for (let index = 0; index < flags.length; index++) {
      if (flags[index] === 1) dense[at++] = values[index] as number;
    }
    return dense;
  }
  forEachRow(layout, support, (start, columns, at) => {
    for (let index = 0; index < columns.length; index++) {
      dense[at + index] = values[start + (columns[index] as number)] as number;
    }
  });
  return dense;
}

/** Puts dense values back into their places of `out`, zeros elsewhere. */
export function scatter(dense: Float32Array, layout: ModelLayout, support: Support, out: Float32Array): void {
  if (support.kind === "all") {
    out.set(dense);
    return;
  }
  if (support.kind === "elements") {
    const { flags } = support;
    let at = 0;
    for (let index = 0; index < flags.length; index++) {
      out[index] = flags[index] === 1 ? (dense[at++] as number) : 0;
    }
    return;
  }
  out.fill(0, 0, layout.parameterLength);
  forEachRow(layout, support, (start, columns, at) => {
    for (let index = 0; index < columns.length; index++) {
      out[start + (columns[index] as number)] = dense[at + index] as number;
    }
  });
}

/** The flags as bytes; none for `all`. */
export function encodeSupport(support: Support, layout: ModelLayout): Uint8Array {
  if (support.kind === "all") return new Uint8Array(0);
  const writer = firstAdaptive.createWriter(64);
  writer.write(flagSequence(support.flags, support.kind, layout));
  return writer.finish();
}

/**
 * Reads what {@link encodeSupport} wrote.
 *
 * @throws LETHE_INTEGRITY_SUPPORT for bytes that it did not write
 */
export function decodeSupport(bytes: Uint8Array, kind: SupportKind, layout: ModelLayout): Support {
  if (kind === "all") {
    if (bytes.length !== 0) throw damaged();
    return everything(layout);
  }
  const matrices = matricesOf(layout);
  const flags = new Int32Array(kind === "lines" ? lineCount(matrices) : layout.parameterLength);
  const reader = firstAdaptive.createReader(bytes);
  reader.read(flagSequence(flags, kind, layout));
  if (!reader.isAtEnd()) throw damaged();
  return supportOf(kind, flags, matrices);
}

function flagSequence(flags: Int32Array, kind: SupportKind, layout: ModelLayout): SymbolSequence {
  const planes = flagPlanes(kind, layout);
  return { symbols: flags, sides: new Uint8Array(flags.length), planes, guide: plainGuide, largest: 1 };
}

/** Flags of a matrix in a `lines` support: one a row, and one a column unless there is one row only. */
function lines({ rows, columns }: Plane): number {
  return rows > 1 ? rows + columns : rows;
}

function lineCount(matrices: readonly Matrix[]): number {
  return matrices.reduce((sum, matrix) => sum + lines(matrix), 0);
}

function flagPlanes(kind: SupportKind, layout: ModelLayout): readonly Plane[] {
  const matrices = matricesOf(layout);
  if (kind === "elements") return matrices;
  return matrices.flatMap(({ rows, columns }) =>
    rows > 1
      ? [
          { rows: 1, columns: rows },
          { rows: 1, columns },
        ]
      : [{ rows: 1, columns: rows }],
  );
}

function supportOf(kind: "lines" | "elements", flags: Int32Array, matrices: readonly Matrix[]): Support {
  const ones = (from: number, to: number): number => {
    let sum = 0;
    for (let index = from; index < to; index++) sum += flags[index] as number;
    return sum;
  };
  let at = 0;
  const planes = matrices.map((matrix): Plane => {
    const { rows, columns } = matrix;
    const start = at;
    if (kind === "elements") {
      at += rows * columns;
      return { rows: 1, columns: ones(start, at) };
    }
    at += lines(matrix);
    return { rows: ones(start, start + rows), columns: rows > 1 ? ones(start + rows, at) : columns };
  });
  const left = planes.filter(({ rows, columns }) => rows * columns > 0);
  return {
    kind,
    flags,
    planes: left,
    count: left.reduce((sum, plane) => sum + plane.rows * plane.columns, 0),
  };
}

/**
 * Goes through the coded rows of a `lines` support.
 *
 * @param visit - given where a row starts in the update, its coded columns, and where it starts in the dense values
 */
function forEachRow(
  layout: ModelLayout,
  { flags }: Support,
  visit: (start: number, columns: Int32Array, at: number) => void,
): void {
  let flag = 0;
  let at = 0;
  for (const { offset, rows, columns } of matricesOf(layout)) {
    const coded = new Int32Array(columns);
    let width = 0;
    for (let column = 0; column < columns; column++) {
      if (rows === 1 || flags[flag + rows + column] === 1) coded[width++] = column;
    }
    const live = coded.subarray(0, width);
    for (let row = 0; row < rows; row++) {
      if (flags[flag + row] === 0) continue;
      visit(offset + row * columns, live, at);
      at += width;
    }
    flag += lines({ rows, columns });
  }
}

function damaged(): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_SUPPORT",
    "Expected the flags of the coded parameters, got bytes that do not spell them: they are damaged.",
  );
}
