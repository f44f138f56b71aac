import { numberAttribute } from "../../../src/onnx/attributes.ts";
import { type Application, axisFrom, type Evaluator, type Evaluators, inputAt } from "./evaluator.ts";
import { at, broadcastAt, indices, type NdArray, offsetOf, tabulate } from "./nd-array.ts";

/** Reductions over axes, and softmax and running sums, which are made of them. */
export const reductionEvaluators: Evaluators = {
  ReduceSum: reduction(sum),
  ReduceMean: reduction((elements) => sum(elements) / elements.length),
  ReduceMax: reduction((elements) => Math.max(...elements)),
  ReduceMin: reduction((elements) => Math.min(...elements)),
  ReduceProd: reduction((elements) => elements.reduce((product, element) => product * element, 1)),
  ReduceL1: reduction((elements) => sum(elements.map(Math.abs))),
  ReduceL2: reduction((elements) => Math.hypot(...elements)),
  ReduceSumSquare: reduction((elements) => sum(elements.map((element) => element ** 2))),
  ReduceLogSum: reduction((elements) => Math.log(sum(elements))),
  ReduceLogSumExp: reduction((elements) => Math.log(sum(elements.map(Math.exp)))),
  ArgMax: position((elements) => Math.max(...elements)),
  ArgMin: position((elements) => Math.min(...elements)),
  Hardmax: alongAxis((_element, elements, place) =>
    Number(elements.indexOf(Math.max(...elements)) === place),
  ),
  CumSum: running(sum),
  CumProd: running((elements) => elements.reduce((product, element) => product * element, 1)),
  // Not as a quotient of exponentials: those of scores that must not count are all 0.
  Softmax: alongAxis((element, elements) => 1 / sum(elements.map((other) => Math.exp(other - element)))),
  LogSoftmax: alongAxis((element, elements) => element - Math.log(sum(elements.map(Math.exp)))),
};

function sum(elements: readonly number[]): number {
  return elements.reduce((total, element) => total + element, 0);
}

function reduction(f: (elements: readonly number[]) => number): Evaluator {
  return (application) => {
    const x = inputAt(application, 0);
    const given = [...(application.inputs[1]?.data ?? [])].map((axis) => axisFrom(axis, x.shape.length));
    const all = numberAttribute(application.attributes, "noop_with_empty_axes", 0) === 0;
    const axes = given.length === 0 && all ? x.shape.map((_, axis) => axis) : given;
    return [reduce(application, x, axes, f)];
  };
}

function reduce(
  { attributes }: Application,
  x: NdArray,
  axes: readonly number[],
  f: (elements: readonly number[]) => number,
): NdArray {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const groups = tabulate(kept, () => 0);
  const elements = Array.from(groups.data, (): number[] => []);
  for (const index of indices(x.shape)) {
    const target = index.map((position, axis) => (axes.includes(axis) ? 0 : position));
    elements[offsetOf(kept, target)]?.push(at(x, index));
  }
  const keeps = numberAttribute(attributes, "keepdims", 1) !== 0;
  return {
    shape: keeps ? kept : x.shape.filter((_, axis) => !axes.includes(axis)),
    data: Float64Array.from(elements, f),
  };
}

function position(extreme: (elements: readonly number[]) => number): Evaluator {
  return (application) => {
    const x = inputAt(application, 0);
    const axis = axisFrom(numberAttribute(application.attributes, "axis", 0), x.shape.length);
    const isLast = numberAttribute(application.attributes, "select_last_index", 0) !== 0;
    return [
      reduce(application, x, [axis], (elements) =>
        isLast ? elements.lastIndexOf(extreme(elements)) : elements.indexOf(extreme(elements)),
      ),
    ];
  };
}

/** Of the elements before (or behind) each along an axis, with itself or without. */
function running(f: (elements: readonly number[]) => number): Evaluator {
  return (application) => {
    const x = inputAt(application, 0);
    const axis = axisFrom(inputAt(application, 1).data[0] as number, x.shape.length);
    const flag = (name: string): boolean => numberAttribute(application.attributes, name, 0) !== 0;
    const places = Array.from({ length: x.shape[axis] as number }, (_, place) => place);
    return [
      tabulate(x.shape, (index) => {
        const own = index[axis] as number;
        const isPart = (place: number): boolean =>
          (flag("reverse") ? place > own : place < own) || (place === own && !flag("exclusive"));
        return f(places.filter(isPart).map((place) => at(x, index.with(axis, place))));
      }),
    ];
  };
}

function alongAxis(f: (element: number, elements: readonly number[], place: number) => number): Evaluator {
  return (application) => {
    const x = inputAt(application, 0);
    const axis = axisFrom(numberAttribute(application.attributes, "axis", -1), x.shape.length);
    const size = x.shape[axis] as number;
    return [
      tabulate(x.shape, (index) => {
        const elements = Array.from({ length: size }, (_, place) => broadcastAt(x, index.with(axis, place)));
        return f(at(x, index), elements, index[axis] as number);
      }),
    ];
  };
}
