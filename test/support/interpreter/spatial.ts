import {
  type Attributes,
  intsAttribute,
  numberAttribute,
  stringAttribute,
} from "../../../src/onnx/attributes.ts";
import { type Application, type Evaluator, type Evaluators, inputAt } from "./evaluator.ts";
import { at, indices, type NdArray, offsetOf, tabulate } from "./nd-array.ts";

/** Convolutions, pools and resizing, by their definitions. */
export const spatialEvaluators: Evaluators = {
  Conv: (application) => {
    const [x, w, b] = [inputAt(application, 0), inputAt(application, 1), application.inputs[2]];
    const group = numberAttribute(application.attributes, "group", 1);
    const [outputs, channels, ...kernel] = w.shape as [number, number, ...number[]];
    const grid = gridOf(application.attributes, kernel, x.shape.slice(2));
    return [
      tabulate([x.shape[0] as number, outputs, ...grid.counts], ([n, m, ...o]) => {
        const first = Math.floor((m as number) / (outputs / group)) * channels;
        let total = b === undefined ? 0 : at(b, [m as number]);
        for (const [c, ...k] of indices([channels, ...kernel])) {
          const place = grid.place(o, k);
          if (!grid.isInside(place)) continue;
          total +=
            at(x, [n as number, first + (c as number), ...place]) * at(w, [m as number, c as number, ...k]);
        }
        return total;
      }),
    ];
  },
  ConvTranspose: (application) => {
    const [x, w, b] = [inputAt(application, 0), inputAt(application, 1), application.inputs[2]];
    const { attributes } = application;
    const group = numberAttribute(attributes, "group", 1);
    const [inputs, channels, ...kernel] = w.shape as [number, number, ...number[]];
    const counts = x.shape.slice(2);
    const strides = intsAttribute(
      attributes,
      "strides",
      kernel.map(() => 1),
    );
    const dilations = intsAttribute(
      attributes,
      "dilations",
      kernel.map(() => 1),
    );
    const pads = [
      ...intsAttribute(
        attributes,
        "pads",
        [...kernel, ...kernel].map(() => 0),
      ),
    ];
    const extra = intsAttribute(
      attributes,
      "output_padding",
      kernel.map(() => 0),
    );
    const auto = stringAttribute(attributes, "auto_pad", "NOTSET");
    const asked = intsAttribute(attributes, "output_shape", undefined);
    const sizes = counts.map((count, axis) => {
      const stride = strides[axis] as number;
      const reach = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1;
      const full = (count - 1) * stride + (extra[axis] as number) + reach;
      const wanted = asked?.[axis] ?? (auto.startsWith("SAME") ? count * stride : undefined);
      if (wanted !== undefined) {
        const total = Math.max(0, full - wanted);
        pads[axis] = auto === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
        return wanted;
      }
      return full - (pads[axis] as number) - (pads[axis + kernel.length] as number);
    });
    const shape = [x.shape[0] as number, channels * group, ...sizes];
    const y = tabulate(shape, ([, c]) => (b === undefined ? 0 : at(b, [c as number])));
    for (const [n, m, ...o] of indices(x.shape)) {
      const first = Math.floor((m as number) / (inputs / group)) * channels;
      for (const [c, ...k] of indices([channels, ...kernel])) {
        const place = o.map(
          (count, axis) =>
            count * (strides[axis] as number) +
            (k[axis] as number) * (dilations[axis] as number) -
            (pads[axis] as number),
        );
        if (!place.every((position, axis) => position >= 0 && position < (sizes[axis] as number))) continue;
        const target = offsetOf(shape, [n as number, first + (c as number), ...place]);
        const product = at(x, [n as number, m as number, ...o]) * at(w, [m as number, c as number, ...k]);
        y.data[target] = (y.data[target] as number) + product;
      }
    }
    return [y];
  },
  MaxPool: (application) => {
    const x = inputAt(application, 0);
    const winners = pool(application, (seen) => {
      const best = Math.max(...seen.map((offset) => x.data[offset] as number));
      return seen.find((offset) => x.data[offset] === best) as number;
    });
    const y = { shape: winners.shape, data: winners.data.map((offset) => x.data[offset] as number) };
    return [y, winners].slice(0, application.outputCount);
  },
  AveragePool: (application) => {
    const x = inputAt(application, 0);
    const countsPadding = numberAttribute(application.attributes, "count_include_pad", 0) !== 0;
    return [
      pool(application, (seen, padded) => {
        const total = seen.reduce((sum, offset) => sum + (x.data[offset] as number), 0);
        return total / (countsPadding ? padded : seen.length);
      }),
    ];
  },
  LpPool: (application) => {
    const x = inputAt(application, 0);
    const p = numberAttribute(application.attributes, "p", 2);
    return [
      pool(application, (seen) =>
        pNorm(
          seen.map((offset) => x.data[offset] as number),
          p,
        ),
      ),
    ];
  },
  GlobalLpPool: (application) => {
    const p = numberAttribute(application.attributes, "p", 2);
    return globalPool((elements) => pNorm(elements, p))(application);
  },
  GlobalAveragePool: globalPool((elements) => elements.reduce((sum, x) => sum + x, 0) / elements.length),
  GlobalMaxPool: globalPool((elements) => Math.max(...elements)),
};

function pNorm(elements: readonly number[], p: number): number {
  return elements.reduce((sum, x) => sum + Math.abs(x) ** p, 0) ** (1 / p);
}

interface Grid {
  readonly counts: readonly number[];
  /** The input position under kernel element k of the window at o. */
  place(o: readonly number[], k: readonly number[]): number[];
  isInside(place: readonly number[]): boolean;
  /** Inside the input or its declared padding. */
  isPadded(place: readonly number[]): boolean;
}

function gridOf(attributes: Attributes, kernel: readonly number[], sizes: readonly number[]): Grid {
  const strides = intsAttribute(
    attributes,
    "strides",
    kernel.map(() => 1),
  );
  const dilations = intsAttribute(
    attributes,
    "dilations",
    kernel.map(() => 1),
  );
  const pads = [
    ...intsAttribute(
      attributes,
      "pads",
      [...kernel, ...kernel].map(() => 0),
    ),
  ];
  const auto = stringAttribute(attributes, "auto_pad", "NOTSET");
  const reach = kernel.map((size, axis) => (size - 1) * (dilations[axis] as number) + 1);
  if (auto.startsWith("SAME")) {
    sizes.forEach((size, axis) => {
      const stride = strides[axis] as number;
      const count = Math.ceil(size / stride);
      const total = Math.max(0, (count - 1) * stride + (reach[axis] as number) - size);
      const small = Math.floor(total / 2);
      pads[axis] = auto === "SAME_UPPER" ? small : total - small;
      pads[axis + kernel.length] = auto === "SAME_UPPER" ? total - small : small;
    });
  }
  const before = pads.slice(0, kernel.length);
  const after = pads.slice(kernel.length);
  const counts = sizes.map((size, axis) => {
    const stride = strides[axis] as number;
    if (auto.startsWith("SAME")) return Math.ceil(size / stride);
    const room = size + (before[axis] as number) + (after[axis] as number) - (reach[axis] as number);
    if (numberAttribute(attributes, "ceil_mode", 0) === 0) return Math.floor(room / stride) + 1;
    return Math.ceil(room / stride) + 1;
  });
  return {
    counts,
    place: (o, k) =>
      o.map(
        (count, axis) =>
          count * (strides[axis] as number) +
          (k[axis] as number) * (dilations[axis] as number) -
          (before[axis] as number),
      ),
    isInside: (place) => place.every((position, axis) => position >= 0 && position < (sizes[axis] as number)),
    isPadded: (place) =>
      place.every((position, axis) => position < (sizes[axis] as number) + (after[axis] as number)),
  };
}

/** `summary` sees the offsets of a window's elements, and how many there are with those in the padding. */
function pool(
  application: Application,
  summary: (seen: readonly number[], padded: number) => number,
): NdArray {
  const x = inputAt(application, 0);
  const kernel = intsAttribute(application.attributes, "kernel_shape", []);
  const grid = gridOf(application.attributes, kernel, x.shape.slice(2));
  return tabulate([...x.shape.slice(0, 2), ...grid.counts], ([n, c, ...o]) => {
    const places = Array.from(indices(kernel), (k) => grid.place(o, k));
    const seen = places
      .filter((place) => grid.isInside(place))
      .map((place) => offsetOf(x.shape, [n as number, c as number, ...place]));
    return summary(seen, places.filter((place) => grid.isPadded(place)).length);
  });
}

function globalPool(summary: (elements: readonly number[]) => number): Evaluator {
  return (application) => {
    const x = inputAt(application, 0);
    const space = x.shape.slice(2);
    return [
      tabulate([...x.shape.slice(0, 2), ...space.map(() => 1)], ([n, c]) =>
        summary(Array.from(indices(space), (place) => at(x, [n as number, c as number, ...place]))),
      ),
    ];
  };
}
