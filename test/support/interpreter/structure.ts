import { intsAttribute, numberAttribute, stringAttribute } from "../../../src/onnx/attributes.ts";
import { numbersOf } from "../../../src/onnx/tensor.ts";
import { type Application, axisFrom, type Evaluators, inputAt } from "./evaluator.ts";
import { at, broadcast, broadcastAt, type NdArray, tabulate } from "./nd-array.ts";

/** Operators that move elements, and those that make shapes. */
export const structureEvaluators: Evaluators = {
  Shape: (application) => {
    const { shape } = inputAt(application, 0);
    const start = numberAttribute(application.attributes, "start", 0);
    return [vector(shape.slice(start, numberAttribute(application.attributes, "end", shape.length)))];
  },
  Size: (application) => [{ shape: [], data: Float64Array.of(inputAt(application, 0).data.length) }],
  Range: (application) => {
    const [start, limit, step] = [0, 1, 2].map((index) => inputAt(application, index).data[0]) as [
      number,
      number,
      number,
    ];
    const elements: number[] = [];
    for (let x = start; step > 0 ? x < limit : x > limit; x += step) elements.push(x);
    return [vector(elements)];
  },
  EyeLike: (application) => {
    const diagonal = numberAttribute(application.attributes, "k", 0);
    return [
      tabulate(inputAt(application, 0).shape, ([row, column]) =>
        (column as number) - (row as number) === diagonal ? 1 : 0,
      ),
    ];
  },
  ConstantOfShape: (application) => {
    const { value } = application.attributes;
    const fill = value?.type === "tensor" ? (numbersOf(value.value)[0] as number) : 0;
    return [tabulate(listAt(application, 0), () => fill)];
  },
  Reshape: (application) => {
    const x = inputAt(application, 0);
    const keepsZero = numberAttribute(application.attributes, "allowzero", 0) !== 0;
    const target = listAt(application, 1).map((size, axis) =>
      size === 0 && !keepsZero ? (x.shape[axis] as number) : size,
    );
    const known = target.reduce((product, size) => (size === -1 ? product : product * size), 1);
    return [{ data: x.data, shape: target.map((size) => (size === -1 ? x.data.length / known : size)) }];
  },
  Flatten: (application) => {
    const x = inputAt(application, 0);
    const axis = axisFrom(numberAttribute(application.attributes, "axis", 1), x.shape.length);
    const rows = x.shape.slice(0, axis).reduce((product, size) => product * size, 1);
    return [{ data: x.data, shape: [rows, x.data.length / rows] }];
  },
  Squeeze: (application) => {
    const x = inputAt(application, 0);
    const axes =
      application.inputs[1] && listAt(application, 1).map((axis) => axisFrom(axis, x.shape.length));
    const goes = (size: number, axis: number): boolean => (axes ? axes.includes(axis) : size === 1);
    return [{ data: x.data, shape: x.shape.filter((size, axis) => !goes(size, axis)) }];
  },
  Unsqueeze: (application) => {
    const x = inputAt(application, 0);
    const given = listAt(application, 1);
    const rank = x.shape.length + given.length;
    const axes = given.map((axis) => axisFrom(axis, rank));
    const sizes = [...x.shape];
    return [
      {
        data: x.data,
        shape: Array.from({ length: rank }, (_, axis) =>
          axes.includes(axis) ? 1 : (sizes.shift() as number),
        ),
      },
    ];
  },
  Transpose: (application) => {
    const x = inputAt(application, 0);
    const reversed = x.shape.map((_, axis) => x.shape.length - 1 - axis);
    const order = intsAttribute(application.attributes, "perm", reversed);
    return [
      tabulate(
        order.map((axis) => x.shape[axis] as number),
        (index) =>
          at(
            x,
            x.shape.map((_, axis) => index[order.indexOf(axis)] as number),
          ),
      ),
    ];
  },
  Expand: (application) => {
    const x = inputAt(application, 0);
    return [tabulate(broadcast([x.shape, listAt(application, 1)]), (index) => broadcastAt(x, index))];
  },
  Concat: (application) => {
    const parts = application.inputs.map((_, index) => inputAt(application, index));
    const first = inputAt(application, 0);
    const axis = axisFrom(numberAttribute(application.attributes, "axis", 0), first.shape.length);
    const total = parts.reduce((sum, part) => sum + (part.shape[axis] as number), 0);
    return [
      tabulate(first.shape.with(axis, total), (index) => {
        let place = index[axis] as number;
        const part = parts.find(({ shape }) => {
          const size = shape[axis] as number;
          if (place < size) return true;
          place -= size;
          return false;
        });
        return at(part as NdArray, index.with(axis, place));
      }),
    ];
  },
  Split: (application) => {
    const x = inputAt(application, 0);
    const axis = axisFrom(numberAttribute(application.attributes, "axis", 0), x.shape.length);
    const total = x.shape[axis] as number;
    const each = Math.ceil(total / application.outputCount);
    const equal = Array.from({ length: application.outputCount }, (_, part) =>
      Math.min(each, total - part * each),
    );
    let start = 0;
    return (application.inputs[1] ? listAt(application, 1) : equal).map((size) => {
      const from = start;
      start += size;
      return tabulate(x.shape.with(axis, size), (index) =>
        at(x, index.with(axis, (index[axis] as number) + from)),
      );
    });
  },
  Slice: (application) => {
    const x = inputAt(application, 0);
    const starts = listAt(application, 1);
    const ends = listAt(application, 2);
    const axes = application.inputs[3] ? listAt(application, 3) : starts.map((_, axis) => axis);
    const steps = application.inputs[4] ? listAt(application, 4) : starts.map(() => 1);
    const picked = x.shape.map((size) => Array.from({ length: size }, (_, place) => place));
    axes.forEach((given, entry) => {
      const axis = axisFrom(given, x.shape.length);
      const [start, end, step] = [starts[entry], ends[entry], steps[entry]] as [number, number, number];
      picked[axis] = places(x.shape[axis] as number, start, end, step);
    });
    return [
      tabulate(
        picked.map((list) => list.length),
        (index) =>
          at(
            x,
            index.map((place, axis) => picked[axis]?.[place] as number),
          ),
      ),
    ];
  },
  Pad: (application) => {
    const x = inputAt(application, 0);
    const mode = stringAttribute(application.attributes, "mode", "constant");
    const pads = listAt(application, 1);
    const fill = application.inputs[2]?.data[0] ?? 0;
    const rank = x.shape.length;
    const axes = application.inputs[3] ? listAt(application, 3) : x.shape.map((_, axis) => axis);
    const [before, after] = [x.shape.map(() => 0), x.shape.map(() => 0)];
    axes.forEach((axis, entry) => {
      before[axisFrom(axis, rank)] = pads[entry] as number;
      after[axisFrom(axis, rank)] = pads[entry + axes.length] as number;
    });
    return [
      tabulate(
        x.shape.map((size, axis) => size + (before[axis] as number) + (after[axis] as number)),
        (index) => {
          const source = index.map((place, axis) =>
            padSource(mode, place - (before[axis] as number), x.shape[axis] as number),
          );
          return source.includes(undefined) ? fill : at(x, source as number[]);
        },
      ),
    ];
  },
  Tile: (application) => {
    const x = inputAt(application, 0);
    const repeats = listAt(application, 1);
    return [
      tabulate(
        x.shape.map((size, axis) => size * (repeats[axis] as number)),
        (index) =>
          at(
            x,
            index.map((place, axis) => place % (x.shape[axis] as number)),
          ),
      ),
    ];
  },
  Trilu: (application) => {
    const x = inputAt(application, 0);
    const diagonal = application.inputs[1]?.data[0] ?? 0;
    const isUpper = numberAttribute(application.attributes, "upper", 1) !== 0;
    return [
      tabulate(x.shape, (index) => {
        const [row, column] = index.slice(-2) as [number, number];
        const isKept = isUpper ? column - row >= diagonal : column - row <= diagonal;
        return isKept ? at(x, index) : 0;
      }),
    ];
  },
  SpaceToDepth: (application) => {
    const x = inputAt(application, 0);
    const block = numberAttribute(application.attributes, "blocksize", 0);
    const [batch, channels, rows, columns] = x.shape as [number, number, number, number];
    return [
      tabulate([batch, channels * block * block, rows / block, columns / block], (index) => {
        const [n, channel, row, column] = index as [number, number, number, number];
        const place = Math.floor(channel / channels);
        return at(x, [
          n,
          channel % channels,
          row * block + Math.floor(place / block),
          column * block + (place % block),
        ]);
      }),
    ];
  },
  DepthToSpace: (application) => {
    const x = inputAt(application, 0);
    const block = numberAttribute(application.attributes, "blocksize", 0);
    const isDepthFirst = stringAttribute(application.attributes, "mode", "DCR") === "DCR";
    const [batch, channels, rows, columns] = x.shape as [number, number, number, number];
    const depth = channels / (block * block);
    return [
      tabulate([batch, depth, rows * block, columns * block], (index) => {
        const [n, channel, row, column] = index as [number, number, number, number];
        const place = (row % block) * block + (column % block);
        const source = isDepthFirst ? place * depth + channel : channel * block * block + place;
        return at(x, [n, source, Math.floor(row / block), Math.floor(column / block)]);
      }),
    ];
  },
  ReverseSequence: (application) => {
    const [x, lengths] = [inputAt(application, 0), inputAt(application, 1)];
    const time = numberAttribute(application.attributes, "time_axis", 0);
    const batch = numberAttribute(application.attributes, "batch_axis", 1);
    return [
      tabulate(x.shape, (index) => {
        const length = lengths.data[index[batch] as number] as number;
        const place = index[time] as number;
        return at(x, index.with(time, place < length ? length - 1 - place : place));
      }),
    ];
  },
};

/** The places a slice visits along an axis. */
function places(size: number, start: number, end: number, step: number): number[] {
  const from = start < 0 ? start + size : start;
  const to = end < 0 ? end + size : end;
  const list: number[] = [];
  if (step > 0) for (let at = Math.max(from, 0); at < Math.min(to, size); at += step) list.push(at);
  else for (let at = Math.min(Math.max(from, 0), size - 1); at > Math.max(to, -1); at += step) list.push(at);
  return list;
}

/** The element a padded place shows, `undefined` for the constant. Bounces off the ends one step at a time. */
function padSource(mode: string, place: number, size: number): number | undefined {
  if (place >= 0 && place < size) return place;
  if (mode === "constant") return undefined;
  if (mode === "edge" || size === 1) return place < 0 ? 0 : size - 1;
  if (mode === "wrap") return padSource(mode, place < 0 ? place + size : place - size, size);
  return padSource(mode, place < 0 ? -place : 2 * (size - 1) - place, size);
}

function listAt(application: Application, index: number): number[] {
  return [...inputAt(application, index).data];
}

function vector(elements: readonly number[]): NdArray {
  return { shape: [elements.length], data: Float64Array.from(elements) };
}
