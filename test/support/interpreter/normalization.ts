import { intsAttribute, numberAttribute } from "../../../src/onnx/attributes.ts";
import { type Application, axisFrom, type Evaluators, inputAt } from "./evaluator.ts";
import { at, broadcastAt, indices, type NdArray, tabulate } from "./nd-array.ts";

/** Normalisations, each element by the definition: from the elements it shares its statistics with. */
export const normalizationEvaluators: Evaluators = {
  BatchNormalization: (application) => {
    const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((index) => inputAt(application, index)) as [
      NdArray,
      NdArray,
      NdArray,
      NdArray,
      NdArray,
    ];
    const setting = (name: string, fallback: number): number =>
      numberAttribute(application.attributes, name, fallback);
    const isTraining = setting("training_mode", 0) !== 0;
    const own = Array.from(mean.data, (_, channel) => momentsOf(x, (index) => index[1] === channel));
    const moved = (before: NdArray, batch: (channel: number) => number): NdArray => {
      const momentum = setting("momentum", 0.9);
      return tabulate(
        before.shape,
        ([c]) => at(before, [c as number]) * momentum + batch(c as number) * (1 - momentum),
      );
    };
    const y = tabulate(x.shape, (index) => {
      const c = index[1] as number;
      const moments = isTraining ? own[c] : { mean: at(mean, [c]), variance: at(variance, [c]) };
      const { mean: centre, variance: spread } = moments as { mean: number; variance: number };
      const normal = (at(x, index) - centre) / Math.sqrt(spread + setting("epsilon", 1e-5));
      return at(scale, [c]) * normal + at(bias, [c]);
    });
    const running = [
      moved(mean, (c) => own[c]?.mean as number),
      moved(variance, (c) => own[c]?.variance as number),
    ];
    return [y, ...running].slice(0, application.outputCount);
  },
  LayerNormalization: (application) => layerNormalized(application, inputAt(application, 0), [1, 2]),
  "com.microsoft:SkipLayerNormalization": (application) => {
    const x = skipSum(application, 4);
    return [...layerNormalized(application, x, [2, 3]), x];
  },
  RMSNormalization: (application) => rmsNormalized(application, inputAt(application, 0), 1),
  SimplifiedLayerNormalization: (application) => rmsNormalized(application, inputAt(application, 0), 1),
  "com.microsoft:SkipSimplifiedLayerNormalization": (application) => {
    const x = skipSum(application, 3);
    const [y, inverse] = rmsNormalized(application, x, 2) as [NdArray, NdArray];
    return [y, tabulate(inverse.shape, () => 0), inverse, x];
  },
  InstanceNormalization: (application) => {
    const x = inputAt(application, 0);
    return [groupNormalized(application, x.shape[1] as number)];
  },
  GroupNormalization: (application) => [
    groupNormalized(application, numberAttribute(application.attributes, "num_groups", 0)),
  ],
  LpNormalization: (application) => {
    const x = inputAt(application, 0);
    const axis = axisFrom(numberAttribute(application.attributes, "axis", -1), x.shape.length);
    const p = numberAttribute(application.attributes, "p", 2);
    return [
      tabulate(x.shape, (index) => {
        const norm =
          sum(
            Array.from({ length: x.shape[axis] as number }, (_, place) => at(x, index.with(axis, place))).map(
              (element) => Math.abs(element) ** p,
            ),
          ) **
          (1 / p);
        return norm === 0 ? 0 : at(x, index) / norm;
      }),
    ];
  },
  MeanVarianceNormalization: (application) => {
    const x = inputAt(application, 0);
    const axes = intsAttribute(application.attributes, "axes", [0, 2, 3]).map((axis) =>
      axisFrom(axis, x.shape.length),
    );
    return [
      tabulate(x.shape, (index) => {
        const { mean, variance } = momentsOf(x, (other) =>
          other.every((place, axis) => axes.includes(axis) || place === index[axis]),
        );
        return (at(x, index) - mean) / (Math.sqrt(variance) + 1e-9);
      }),
    ];
  },
  LRN: (application) => {
    const x = inputAt(application, 0);
    const setting = (name: string, fallback: number): number =>
      numberAttribute(application.attributes, name, fallback);
    const size = setting("size", 1);
    return [
      tabulate(x.shape, (index) => {
        const own = index[1] as number;
        const [low, high] = [own - Math.floor((size - 1) / 2), own + Math.ceil((size - 1) / 2)];
        const near = Array.from({ length: x.shape[1] as number }, (_, c) => c).filter(
          (c) => c >= low && c <= high,
        );
        const squares = sum(near.map((c) => at(x, index.with(1, c)) ** 2));
        const base = setting("bias", 1) + (setting("alpha", 1e-4) / size) * squares;
        return at(x, index) / base ** setting("beta", 0.75);
      }),
    ];
  },
};

function layerNormalized(
  application: Application,
  x: NdArray,
  [scaleIndex, biasIndex]: readonly [number, number],
): NdArray[] {
  const [scale, bias] = [inputAt(application, scaleIndex), application.inputs[biasIndex]];
  const first = axisFrom(numberAttribute(application.attributes, "axis", -1), x.shape.length);
  const epsilon = numberAttribute(application.attributes, "epsilon", 1e-5);
  const moments = (index: readonly number[]): { mean: number; variance: number } =>
    momentsOf(x, (other) => index.slice(0, first).every((place, axis) => place === other[axis]));
  const outer = x.shape.map((size, axis) => (axis < first ? size : 1));
  return [
    tabulate(x.shape, (index) => {
      const { mean, variance } = moments(index);
      const normal = (at(x, index) - mean) / Math.sqrt(variance + epsilon);
      return normal * broadcastAt(scale, index) + (bias === undefined ? 0 : broadcastAt(bias, index));
    }),
    tabulate(outer, (index) => moments(index).mean),
    tabulate(outer, (index) => 1 / Math.sqrt(moments(index).variance + epsilon)),
  ];
}

function rmsNormalized(application: Application, x: NdArray, scaleIndex: number): NdArray[] {
  const scale = inputAt(application, scaleIndex);
  const first = axisFrom(numberAttribute(application.attributes, "axis", -1), x.shape.length);
  const epsilon = numberAttribute(application.attributes, "epsilon", 1e-5);
  const inverse = tabulate(
    x.shape.map((size, axis) => (axis < first ? size : 1)),
    (index) => {
      const inner = Array.from(indices(x.shape.slice(first)), (rest) =>
        at(x, [...index.slice(0, first), ...rest]),
      );
      return 1 / Math.sqrt(sum(inner.map((element) => element ** 2)) / inner.length + epsilon);
    },
  );
  return [
    tabulate(x.shape, (index) => at(x, index) * broadcastAt(inverse, index) * broadcastAt(scale, index)),
    inverse,
  ];
}

function groupNormalized(application: Application, groups: number): NdArray {
  const [x, scale, bias] = [inputAt(application, 0), inputAt(application, 1), inputAt(application, 2)];
  const each = (x.shape[1] as number) / groups;
  const epsilon = numberAttribute(application.attributes, "epsilon", 1e-5);
  // One parameter for each channel, or in the oldest form for each group.
  const parameter = (values: NdArray, channel: number): number =>
    values.data[values.data.length === x.shape[1] ? channel : Math.floor(channel / each)] as number;
  return tabulate(x.shape, (index) => {
    const [n, c] = index as [number, number];
    const group = Math.floor(c / each);
    const { mean, variance } = momentsOf(
      x,
      ([sample, channel]) => sample === n && Math.floor((channel as number) / each) === group,
    );
    return parameter(scale, c) * ((at(x, index) - mean) / Math.sqrt(variance + epsilon)) + parameter(bias, c);
  });
}

function skipSum(application: Application, biasIndex: number): NdArray {
  const [x, skip] = [inputAt(application, 0), inputAt(application, 1)];
  const bias = application.inputs[biasIndex];
  return tabulate(
    x.shape,
    (index) => at(x, index) + broadcastAt(skip, index) + (bias === undefined ? 0 : broadcastAt(bias, index)),
  );
}

function momentsOf(
  x: NdArray,
  isPart: (index: readonly number[]) => boolean,
): { mean: number; variance: number } {
  const elements: number[] = [];
  for (const index of indices(x.shape)) if (isPart(index)) elements.push(at(x, index));
  const mean = sum(elements) / elements.length;
  return { mean, variance: sum(elements.map((element) => (element - mean) ** 2)) / elements.length };
}

function sum(elements: readonly number[]): number {
  return elements.reduce((total, element) => total + element, 0);
}
