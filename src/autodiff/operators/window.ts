import { LetheError } from "../../kernel/errors.ts";
import {
  type Attributes,
  ints,
  intsAttribute,
  numberAttribute,
  stringAttribute,
} from "../../onnx/attributes.ts";
import type { WindowOptions } from "../../onnx/functions/index.ts";

/** How windows of a convolution or a pool lie on their input: one number per spatial axis everywhere. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before and after each axis. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Reads `strides`, `dilations`, `pads` and `auto_pad`, with the padding of SAME_UPPER and SAME_LOWER worked out.
 *
 * @param sizes - the input's spatial sizes
 * @throws LETHE_DATA_SHAPE for a window that does not fit them or has settings out of range
 */
export function windowOf(
  attributes: Attributes,
  kernel: readonly number[],
  sizes: readonly number[],
): Window {
  const rank = sizes.length;
  const ones = kernel.map(() => 1);
  const strides = perAxis("strides", intsAttribute(attributes, "strides", ones), rank, 1);
  const dilations = perAxis("dilations", intsAttribute(attributes, "dilations", ones), rank, 1);
  perAxis("kernel_shape", kernel, rank, 1);
  const [before, after] = padding(
    attributes,
    sizes,
    sizes.map((size, axis) => {
      const stride = strides[axis] as number;
      const extent = extentOf(kernel[axis] as number, dilations[axis] as number);
      return Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
    }),
  );
  return { kernel, strides, dilations, before, after };
}

/** The kernel of a pool, from its attribute. */
export function kernelShapeOf(attributes: Attributes): readonly number[] {
  const kernel = intsAttribute(attributes, "kernel_shape", undefined);
  if (kernel === undefined) {
    throw new LetheError("data", "DATA_SHAPE", "Expected the attribute `kernel_shape`, got none.");
  }
  return kernel;
}

/**
 * How many windows fit along each axis: ⌊(size + padding − extent)/stride⌋ + 1, or rounded up with `ceil_mode`.
 *
 * @throws LETHE_DATA_SHAPE when not one fits, or the last one rounded up would see nothing of the input (there the engine's
 *   shapes contradict its results)
 */
export function windowCounts(
  window: Window,
  sizes: readonly number[],
  attributes: Attributes = {},
): number[] {
  // SAME rounds up by its padding.
  const roundsUp = numberAttribute(attributes, "ceil_mode", 0) !== 0 && !padsItself(attributes);
  return sizes.map((size, axis) => {
    const stride = window.strides[axis] as number;
    const lead = size + (window.before[axis] as number);
    const room = lead + (window.after[axis] as number) - windowExtent(window, axis);
    if (room < 0) {
      throw new LetheError(
        "data",
        "DATA_SHAPE",
        `Expected a window that fits its input, got one of extent ${windowExtent(window, axis)} on ` +
          `${size} elements (and their padding) along spatial axis ${axis}.`,
      );
    }
    if (!roundsUp) return Math.floor(room / stride) + 1;
    const count = Math.ceil(room / stride) + 1;
    if ((count - 1) * stride < lead) return count;
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected windows that begin inside the input, got ceil_mode with one beyond it along spatial axis ${axis}. ` +
        "Export the model with ceil_mode off.",
    );
  });
}

/** The span of a window along one axis, the gaps of its dilation included. */
export function windowExtent(window: Window, axis: number): number {
  return extentOf(window.kernel[axis] as number, window.dilations[axis] as number);
}

/**
 * The same window with the padding behind that makes `counts` windows fill the padded input exactly. It can be negative:
 * elements that no window reaches are cut off.
 */
export function fitted(window: Window, sizes: readonly number[], counts: readonly number[]): Window {
  const after = sizes.map((size, axis) => {
    const reach =
      ((counts[axis] as number) - 1) * (window.strides[axis] as number) + windowExtent(window, axis);
    return reach - size - (window.before[axis] as number);
  });
  return { ...window, after };
}

/** True when the windows tile the input: stride = kernel, no padding, no dilation. */
export function tiles(window: Window): boolean {
  return (
    window.kernel.every((size, axis) => size === window.strides[axis]) &&
    [...window.before, ...window.after].every((count) => count === 0) &&
    window.dilations.every((dilation) => dilation === 1)
  );
}

/** Whether the padding is left to the operator. */
export function padsItself(attributes: Attributes): boolean {
  return stringAttribute(attributes, "auto_pad", "NOTSET") !== "NOTSET";
}

/** The attributes with the padding of a window in place of `auto_pad`, which ONNX Runtime refuses for some windows. */
export function explicitPads(attributes: Attributes, window: Window): Attributes {
  const { auto_pad: _, ceil_mode: __, ...others } = attributes;
  return { ...others, pads: ints([...window.before, ...window.after]) };
}

/** A window as the options of a builder function. */
export function windowOptions(window: Window): WindowOptions {
  return {
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.before, ...window.after],
  };
}

function padding(
  attributes: Attributes,
  sizes: readonly number[],
  needed: readonly number[],
): [readonly number[], readonly number[]] {
  const rank = sizes.length;
  const auto = stringAttribute(attributes, "auto_pad", "NOTSET");
  const half = needed.map((total) => Math.floor(total / 2));
  const rest = needed.map((total) => Math.ceil(total / 2));
  switch (auto) {
    case "NOTSET": {
      const none = new Array<number>(2 * rank).fill(0);
      const pads = perAxis("pads", intsAttribute(attributes, "pads", none), 2 * rank, 0);
      return [pads.slice(0, rank), pads.slice(rank)];
    }
    case "VALID":
      return [sizes.map(() => 0), sizes.map(() => 0)];
    case "SAME_UPPER":
      return [half, rest];
    case "SAME_LOWER":
      return [rest, half];
    default:
      throw new LetheError(
        "data",
        "DATA_ATTRIBUTE",
        `Expected auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER, got ${auto}.`,
      );
  }
}

function perAxis(name: string, values: readonly number[], count: number, least: number): readonly number[] {
  if (values.length === count && values.every((value) => Number.isSafeInteger(value) && value >= least)) {
    return values;
  }
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected \`${name}\` with ${count} integers of at least ${least}, got [${values}].`,
  );
}

function extentOf(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}
