import type { ModelLayout, TensorSlot } from "../../../kernel/layout.ts";
import type { ConvLayer, DenseLayer, LayerLayout, NormLayer } from "../../../models/layers.ts";

/**
 * A part of the flat vector with a covariance of its own. `matrix`: inputs (+ 1 for the bias) × outputs, with a Kronecker
 * factor on either side. `vector`: one column, with a full covariance. `diagonal`: one column without any.
 */
export interface Block {
  readonly layer: string;
  readonly kind: "matrix" | "vector" | "diagonal";
  readonly rows: number;
  readonly columns: number;
  /** Where each element lies in the flat vector; [rows, columns]. */
  readonly index: Uint32Array;
  /** The row that holds the bias. */
  readonly biasRow?: number | undefined;
}

/**
 * Cuts the trained part of a model into blocks. Dense layers and convolutions become matrices with rows ordered
 * (in, ky, kx, bias), a grouped convolution one for each group; scale and shift of a normalisation one vector; every
 * other parameter a diagonal block, also when no layer speaks of it.
 */
export function blocksOf(layout: ModelLayout, layers: readonly LayerLayout[]): readonly Block[] {
  const blocks = layers.flatMap((layer): readonly Block[] => {
    switch (layer.kind) {
      case "dense":
        return [denseBlock(layer)];
      case "conv":
        return convBlocks(layer);
      case "norm":
        return [normBlock(layer)];
      case "other":
        return layer.slots.filter(isParameter).map((slot) => diagonalBlock(layer.name, slot));
      default:
        throw layer satisfies never;
    }
  });
  const covered = new Set(layers.flatMap(slotsOf).map(({ name }) => name));
  const orphans = layout.slots.filter((slot) => isParameter(slot) && !covered.has(slot.name));
  return [...blocks, ...orphans.map((slot) => diagonalBlock(slot.name, slot))];
}

/**
 * The given rows and columns of a block, in ascending order, as a block.
 *
 * @returns `undefined` when there are none
 */
export function livePart(
  block: Block,
  rows: readonly number[],
  columns: readonly number[],
): Block | undefined {
  if (rows.length === 0 || columns.length === 0) return undefined;
  const index = new Uint32Array(rows.length * columns.length);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) index[at++] = block.index[row * block.columns + column] as number;
  }
  const biasRow = block.biasRow === undefined ? -1 : rows.indexOf(block.biasRow);
  return {
    ...block,
    rows: rows.length,
    columns: columns.length,
    index,
    biasRow: biasRow < 0 ? undefined : biasRow,
  };
}

function denseBlock({ name, weight, bias, inputAxis }: DenseLayer): Block {
  const inputs = weight.shape[inputAxis] as number;
  const outputs = weight.shape[1 - inputAxis] as number;
  const [rowStride, columnStride] = inputAxis === 0 ? [outputs, 1] : [1, inputs];
  return matrixBlock(name, { inputs, outputs, start: weight.offset, rowStride, columnStride }, bias, 0);
}

function convBlocks({ name, weight, bias, group }: ConvLayer): readonly Block[] {
  const outputs = (weight.shape[0] as number) / group;
  const inputs = weight.length / (outputs * group);
  return indices(group).map((g) => {
    const start = weight.offset + g * outputs * inputs;
    const place = { inputs, outputs, start, rowStride: 1, columnStride: inputs };
    return matrixBlock(group === 1 ? name : `${name}[${g}]`, place, bias, g * outputs);
  });
}

/** Where a weight matrix lies in the flat vector. */
interface Place {
  readonly inputs: number;
  readonly outputs: number;
  readonly start: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

function matrixBlock(layer: string, place: Place, bias: TensorSlot | undefined, biasStart: number): Block {
  const { inputs, outputs, start, rowStride, columnStride } = place;
  const rows = inputs + (bias === undefined ? 0 : 1);
  const index = new Uint32Array(rows * outputs);
  for (let r = 0; r < inputs; r++) {
    for (let c = 0; c < outputs; c++) index[r * outputs + c] = start + r * rowStride + c * columnStride;
  }
  if (bias !== undefined) {
    for (let c = 0; c < outputs; c++) index[inputs * outputs + c] = bias.offset + biasStart + c;
  }
  const biasRow = bias === undefined ? undefined : inputs;
  return { layer, kind: "matrix", rows, columns: outputs, index, biasRow };
}

function normBlock({ name, scale, shift }: NormLayer): Block {
  const index = Uint32Array.from([...positions(scale), ...positions(shift)]);
  return { layer: name, kind: "vector", rows: index.length, columns: 1, index };
}

function diagonalBlock(layer: string, slot: TensorSlot): Block {
  const index = Uint32Array.from(positions(slot));
  return { layer, kind: "diagonal", rows: index.length, columns: 1, index };
}

function slotsOf(layer: LayerLayout): readonly TensorSlot[] {
  if (layer.kind === "other") return layer.slots;
  if (layer.kind === "norm") return [layer.scale, layer.shift];
  return layer.bias === undefined ? [layer.weight] : [layer.weight, layer.bias];
}

function isParameter(slot: TensorSlot): boolean {
  return slot.role === "parameter";
}

function positions({ offset, length }: TensorSlot): readonly number[] {
  return indices(length).map((i) => offset + i);
}

function indices(length: number): readonly number[] {
  return Array.from({ length }, (_, i) => i);
}
