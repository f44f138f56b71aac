import { numberAttribute, stringAttribute } from "../../../src/onnx/attributes.ts";
import { axisFrom, type Evaluators, inputAt } from "./evaluator.ts";
import { at, indices, type NdArray, offsetOf, tabulate } from "./nd-array.ts";

/** Operators that read or write at positions that are data. */
export const indexingEvaluators: Evaluators = {
  Gather: (application) => {
    const [x, chosen] = [inputAt(application, 0), inputAt(application, 1)];
    const axis = axisFrom(numberAttribute(application.attributes, "axis", 0), x.shape.length);
    const shape = [...x.shape.slice(0, axis), ...chosen.shape, ...x.shape.slice(axis + 1)];
    return [
      tabulate(shape, (index) => {
        const row = at(chosen, index.slice(axis, axis + chosen.shape.length));
        return at(x, [
          ...index.slice(0, axis),
          axisFrom(row, x.shape[axis] as number),
          ...index.slice(axis + chosen.shape.length),
        ]);
      }),
    ];
  },
  GatherElements: (application) => {
    const [x, chosen] = [inputAt(application, 0), inputAt(application, 1)];
    const axis = axisFrom(numberAttribute(application.attributes, "axis", 0), x.shape.length);
    return [
      tabulate(chosen.shape, (index) =>
        at(x, index.with(axis, axisFrom(at(chosen, index), x.shape[axis] as number))),
      ),
    ];
  },
  ScatterElements: (application) => {
    const [x, chosen, updates] = [inputAt(application, 0), inputAt(application, 1), inputAt(application, 2)];
    const axis = axisFrom(numberAttribute(application.attributes, "axis", 0), x.shape.length);
    const reduce = reductionOf(stringAttribute(application.attributes, "reduction", "none"));
    const data = x.data.slice();
    for (const index of indices(chosen.shape)) {
      const place = axisFrom(at(chosen, index), x.shape[axis] as number);
      const offset = offsetOf(x.shape, index.with(axis, place));
      data[offset] = reduce(data[offset] as number, at(updates, index));
    }
    return [{ shape: x.shape, data }];
  },
  GatherND: (application) => {
    const [x, chosen] = [inputAt(application, 0), inputAt(application, 1)];
    const batch = numberAttribute(application.attributes, "batch_dims", 0);
    const depth = chosen.shape.at(-1) as number;
    const reads = chosen.shape.length - 1;
    return [
      tabulate([...chosen.shape.slice(0, -1), ...x.shape.slice(batch + depth)], (index) =>
        at(x, [
          ...index.slice(0, batch),
          ...tupleAt(chosen, index.slice(0, reads), x.shape.slice(batch)),
          ...index.slice(reads),
        ]),
      ),
    ];
  },
  ScatterND: (application) => {
    const [x, chosen, updates] = [inputAt(application, 0), inputAt(application, 1), inputAt(application, 2)];
    const reduce = reductionOf(stringAttribute(application.attributes, "reduction", "none"));
    const writes = chosen.shape.length - 1;
    const data = x.data.slice();
    for (const index of indices(updates.shape)) {
      const tuple = tupleAt(chosen, index.slice(0, writes), x.shape);
      const offset = offsetOf(x.shape, [...tuple, ...index.slice(writes)]);
      data[offset] = reduce(data[offset] as number, at(updates, index));
    }
    return [{ shape: x.shape, data }];
  },
  TopK: (application) => {
    const x = inputAt(application, 0);
    const k = inputAt(application, 1).data[0] as number;
    const axis = axisFrom(numberAttribute(application.attributes, "axis", -1), x.shape.length);
    const sign = numberAttribute(application.attributes, "largest", 1) !== 0 ? -1 : 1;
    const ranked = (index: readonly number[]): number => {
      const along = Array.from({ length: x.shape[axis] as number }, (_, place) => place);
      along.sort((a, b) => sign * (at(x, index.with(axis, a)) - at(x, index.with(axis, b))));
      return along[index[axis] as number] as number;
    };
    const shape = x.shape.with(axis, k);
    return [tabulate(shape, (index) => at(x, index.with(axis, ranked(index)))), tabulate(shape, ranked)];
  },
  OneHot: (application) => {
    const [chosen, depth, values] = [
      inputAt(application, 0),
      inputAt(application, 1),
      inputAt(application, 2),
    ];
    const size = depth.data[0] as number;
    const axis = axisFrom(numberAttribute(application.attributes, "axis", -1), chosen.shape.length + 1);
    return [
      tabulate(chosen.shape.toSpliced(axis, 0, size), (index) => {
        const hot = axisFrom(at(chosen, index.toSpliced(axis, 1)), size);
        return values.data[hot === index[axis] ? 1 : 0] as number;
      }),
    ];
  },
};

/** The tuple of indices at a place, counted from the front. */
function tupleAt(chosen: NdArray, place: readonly number[], bounds: readonly number[]): number[] {
  return Array.from({ length: chosen.shape.at(-1) as number }, (_, index) =>
    axisFrom(at(chosen, [...place, index]), bounds[index] as number),
  );
}

function reductionOf(word: string): (old: number, update: number) => number {
  if (word === "add") return (old, update) => old + update;
  if (word === "mul") return (old, update) => old * update;
  if (word === "min") return Math.min;
  if (word === "max") return Math.max;
  return (_old, update) => update;
}
