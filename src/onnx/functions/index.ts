/** Symbolic operations on graph values: each emits one ONNX node (or none, when there is nothing to do), but for named compositions. */
export * from "./batch-normalization.ts";
export * from "./convolution.ts";
export * from "./elementwise.ts";
export * from "./gates.ts";
export * from "./indexing.ts";
export * from "./linear.ts";
export * from "./lstm-steps.ts";
export * from "./normalization.ts";
export * from "./reduce.ts";
export * from "./rms-normalization.ts";
export * from "./structure.ts";
