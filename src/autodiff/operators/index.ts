import type { OperatorTable } from "../../onnx/ir.ts";
import { operatorTable } from "../../onnx/operator.ts";
import { activationOperators } from "./activations.ts";
import { arithmeticOperators } from "./arithmetic.ts";
import { attentionOperators } from "./attention.ts";
import { averagePoolOperators } from "./average-pool.ts";
import { batchNormalizationOperators } from "./batch-normalization.ts";
import { concatOperators } from "./concat.ts";
import { convOperators } from "./conv.ts";
import { convTransposeOperators } from "./conv-transpose.ts";
import { cumulativeOperators } from "./cumulative.ts";
import { dropoutOperators } from "./dropout.ts";
import { einsumOperators } from "./einsum.ts";
import { gatedActivationOperators } from "./gated-activations.ts";
import { gatherOperators } from "./gather.ts";
import { globalPoolOperators } from "./global-pool.ts";
import { groupNormalizationOperators } from "./group-normalization.ts";
import { gruOperators } from "./gru.ts";
import { indexTupleOperators } from "./index-tuples.ts";
import { layerNormalizationOperators } from "./layer-normalization.ts";
import { logicOperators } from "./logic.ts";
import { lpPoolOperators } from "./lp-pool.ts";
import { lstmOperators } from "./lstm.ts";
import { matmulOperators } from "./matmul.ts";
import { maxPoolOperators } from "./max-pool.ts";
import { multiHeadAttentionOperators } from "./multi-head-attention.ts";
import { normNormalizationOperators } from "./norm-normalization.ts";
import { normReduceOperators } from "./norm-reduce.ts";
import { oneHotOperators } from "./one-hot.ts";
import { padOperators } from "./pad.ts";
import { reduceOperators } from "./reduce.ts";
import { refusedOperators } from "./refused.ts";
import { reshapeOperators } from "./reshape.ts";
import { resizeOperators } from "./resize.ts";
import { reverseSequenceOperators } from "./reverse-sequence.ts";
import { rmsNormalizationOperators } from "./rms-normalization.ts";
import { rnnOperators } from "./rnn.ts";
import { rotaryEmbeddingOperators } from "./rotary-embedding.ts";
import { scalarFunctionOperators } from "./scalar-functions.ts";
import { scatterOperators } from "./scatter.ts";
import { selectOperators } from "./select.ts";
import { shapeOperators } from "./shape-of.ts";
import { sliceOperators } from "./slice.ts";
import { softmaxOperators } from "./softmax.ts";
import { spaceDepthOperators } from "./space-depth.ts";
import { stopGradientOperators } from "./stop-gradient.ts";
import { tileOperators } from "./tile.ts";
import { topKOperators } from "./top-k.ts";
import { transposeOperators } from "./transpose.ts";
import { triluOperators } from "./trilu.ts";

/**
 * Every operator Lethe reads, infers and differentiates.
 *
 * A new one takes a file here with its shape rule and its gradient rule, a line in this list, and in `test` its definition in
 * double precision (`support/interpreter`) and random uses (`autodiff/cases`); the tests of the table ask for both. One that
 * can be said in others needs no gradient rule: see `composite`.
 */
export const operators: OperatorTable = operatorTable([
  ...activationOperators,
  ...arithmeticOperators,
  ...attentionOperators,
  ...averagePoolOperators,
  ...batchNormalizationOperators,
  ...concatOperators,
  ...convOperators,
  ...convTransposeOperators,
  ...cumulativeOperators,
  ...dropoutOperators,
  ...einsumOperators,
  ...gatedActivationOperators,
  ...gatherOperators,
  ...globalPoolOperators,
  ...groupNormalizationOperators,
  ...gruOperators,
  ...indexTupleOperators,
  ...layerNormalizationOperators,
  ...logicOperators,
  ...lpPoolOperators,
  ...lstmOperators,
  ...matmulOperators,
  ...maxPoolOperators,
  ...multiHeadAttentionOperators,
  ...normNormalizationOperators,
  ...normReduceOperators,
  ...oneHotOperators,
  ...padOperators,
  ...reduceOperators,
  ...refusedOperators,
  ...reshapeOperators,
  ...resizeOperators,
  ...reverseSequenceOperators,
  ...rmsNormalizationOperators,
  ...rnnOperators,
  ...rotaryEmbeddingOperators,
  ...scalarFunctionOperators,
  ...scatterOperators,
  ...selectOperators,
  ...shapeOperators,
  ...sliceOperators,
  ...softmaxOperators,
  ...spaceDepthOperators,
  ...stopGradientOperators,
  ...tileOperators,
  ...topKOperators,
  ...transposeOperators,
  ...triluOperators,
]);
