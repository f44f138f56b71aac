import { numberAttribute } from "../../../src/onnx/attributes.ts";
import { type Application, axisFrom, type Evaluator, type Evaluators, inputAt } from "./evaluator.ts";
import { at, broadcastAt, indices, type NdArray, offsetOf, tabulate } from "./nd-array.ts";

/** Reductions over axes, and softmax and layer normalisation, which are made of them. */
export const reductionEvaluators: Evaluators = {
  ReduceSum: reduction(sum),
  ReduceMean: reduction((elements) => sum(elements) / elements.length),
  ReduceMax: reduction((elements) => Math.max(...elements)),
  ReduceMin: reduction((elements) => Math.min(...elements)),
  ReduceProd: reduction((elements) => elements.reduce((product, element) => product * element, 1)),
  ArgMax: (application) => {
    const x = inputAt(application, 0);
    const axis = axisFrom(numberAttribute(application.attributes, "axis", 0), x.shape.length);
    return [reduce(application, x, [axis], (elements) => elements.indexOf(Math.max(...elements)))];
  },
  Softmax: alongAxis((element, elements) => Math.exp(element) / sum(elements.map(Math.exp))),
  LogSoftmax: alongAxis((element, elements) => element - Math.log(sum(elements.map(Math.exp)))),
  LayerNormalization: (application) => {
    const [x, scale, bias] = [inputAt(application, 0), inputAt(application, 1), application.inputs[2]];
    const first = axisFrom(numberAttribute(application.attributes, "axis", -1), x.shape.length);
    const epsilon = numberAttribute(application.attributes, "epsilon", 1e-5);
    const inner = x.shape.slice(first);
    const y = tabulate(x.shape, (index) => {
      const elements = Array.from(indices(inner), (rest) => at(x, [...index.slice(0, first), ...rest]));
      const mean = sum(elements) / elements.length;
      const variance = sum(elements.map((element) => (element - mean) ** 2)) / elements.length;
      const normal = (at(x, index) - mean) / Math.sqrt(variance + epsilon);
      return normal * broadcastAt(scale, index) + (bias === undefined ? 0 : broadcastAt(bias, index));
    });
    return [y];
  },
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

function alongAxis(f: (element: number, elements: readonly number[]) => number): Evaluator {
  return (application) => {
    const x = inputAt(application, 0);
    const axis = axisFrom(numberAttribute(application.attributes, "axis", -1), x.shape.length);
    const size = x.shape[axis] as number;
    return [
      tabulate(x.shape, (index) => {
        const elements = Array.from({ length: size }, (_, place) => broadcastAt(x, index.with(axis, place)));
        return f(at(x, index), elements);
      }),
    ];
  };
}
