import {
  add,
  averagePool,
  batchNormalization,
  batchNormalizationOwn,
  conv,
  convTranspose,
  div,
  gather,
  globalAveragePool,
  logSoftmax,
  matmul,
  maxPool,
  mul,
  neg,
  oneHot,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  sin,
  softplus,
  square,
  sub,
  tanh,
  type WindowOptions,
} from "../../src/onnx/functions/index.ts";
import type { Value } from "../../src/onnx/ir.ts";
import type { GoldenModel } from "./check-golden.ts";

/** Values by the names they have in the golden file. */
type Named = Readonly<Record<string, Value>>;

/** The settings of a case, as the golden file has them beside its numbers. */
export type Settings = Readonly<Record<string, unknown>>;

/** The models of generate-autodiff.py once more, in graph functions. */
export const goldenModels: Readonly<Record<string, (values: Named, settings: Settings) => GoldenModel>> = {
  mlp: (values, { loss }) => {
    const { x, w1, b1, w2, b2, labels, target, teacher } = values as Record<
      "x" | "w1" | "b1" | "w2" | "b2" | "labels" | "target" | "teacher",
      Value
    >;
    const logits = add(matmul(tanh(add(matmul(x, w1), b1)), w2), b2);
    if (loss === "cross-entropy") return { loss: crossEntropy(logits, labels) };
    if (loss === "mse") return { loss: reduceMean(square(sub(logits, target))) };
    const student = logSoftmax(div(logits, 2));
    const divergence = mul(teacher, sub(teacher.graph.apply("Log", [teacher]), student));
    return { loss: reduceMean(reduceSum(divergence, { axes: [1] })) };
  },
  cnn: (values) => {
    const { x, w1, b1, w2, b2, w3, b3, labels } = values as Record<
      "x" | "w1" | "b1" | "w2" | "b2" | "w3" | "b3" | "labels",
      Value
    >;
    const first = relu(maxPool(conv(x, w1, b1, { pads: [1, 1, 1, 1] }), [2, 2], { strides: [2, 2] }));
    const second = softplus(conv(first, w2, b2, { pads: [1, 1, 1, 1], strides: [2, 2] }));
    const features = reshape(globalAveragePool(second), [3, 4]);
    return { loss: crossEntropy(add(matmul(features, w3), b3), labels) };
  },
  conv1d: convolution,
  conv2d: convolution,
  conv3d: convolution,
  conv_transpose2d: (values, settings) => {
    const { x, w, b } = values as Record<"x" | "w" | "b", Value>;
    const { output_padding: extra } = settings as { output_padding: number };
    const y = convTranspose(x, w, { ...convOptions(x, settings), outputPadding: [extra, extra] });
    return weighted(values, add(y, reshape(b, [b.shape[0] ?? 1, 1, 1])));
  },
  max_pool2d: (values, settings) =>
    weighted(values, maxPool(values.x as Value, squared(settings.kernel), poolOptions(settings))),
  avg_pool2d: (values, settings) =>
    weighted(
      values,
      averagePool(values.x as Value, squared(settings.kernel), {
        ...poolOptions(settings),
        // PyTorch counts the padding unless told otherwise.
        countIncludePad: settings.count_include_pad !== false,
      }),
    ),
  batch_norm: (values, settings) => {
    const { x, scale, bias, mean, variance } = values as Record<
      "x" | "scale" | "bias" | "mean" | "variance",
      Value
    >;
    const { epsilon, training, batchMean, batchVariance, unbiasedVariance } = settings as {
      epsilon: number;
      training: boolean;
      batchMean: number[];
      batchVariance: number[];
      unbiasedVariance: number[];
    };
    if (!training) return weighted(values, batchNormalization(x, scale, bias, mean, variance, epsilon));
    const own = batchNormalizationOwn(x, scale, bias, epsilon);
    return {
      ...weighted(values, own.y),
      expected: {
        mean_of_batch: [own.mean, batchMean],
        variance_of_batch: [own.variance, batchVariance],
        unbiased_variance: [own.unbiasedVariance, unbiasedVariance],
      },
    };
  },
  embedding: (values) => weighted(values, gather(values.table as Value, values.indices as Value)),
};

/** Σ weight·sin(y) */
function weighted({ weight }: Named, y: Value): GoldenModel {
  return { loss: reduceSum(mul(weight as Value, sin(y))) };
}

function crossEntropy(logits: Value, labels: Value): Value {
  const targets = oneHot(labels, logits.shape[1] as number);
  return neg(reduceMean(reduceSum(mul(logSoftmax(logits), targets), { axes: [1] })));
}

function convolution(values: Named, settings: Settings): GoldenModel {
  const { x, w, b } = values as Record<"x" | "w" | "b", Value>;
  return weighted(values, conv(x, w, b, convOptions(x, settings)));
}

function convOptions(x: Value, settings: Settings) {
  const { stride, padding, dilation, groups } = settings as Record<string, number>;
  const perAxis = (value: number | undefined): number[] => x.shape.slice(2).map(() => value as number);
  return {
    strides: perAxis(stride),
    pads: [...perAxis(padding), ...perAxis(padding)],
    dilations: perAxis(dilation),
    group: groups as number,
  };
}

function poolOptions({ stride, padding }: Settings): WindowOptions {
  return { strides: squared(stride), pads: [...squared(padding), ...squared(padding)] };
}

function squared(value: unknown): number[] {
  return [value as number, value as number];
}
