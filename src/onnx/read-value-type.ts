import type { ValueType } from "./ir.ts";
import { onnxError } from "./onnx-error.ts";
import type { ValueInfoProto } from "./proto/onnx_pb.js";
import { computedType, isComputedType } from "./read-tensor.ts";
import type { Dim, Shape } from "./shape.ts";

/** What the file says of a value, as far as every axis has a size or a name; names as the inputs' are read. */
export function declaredType(info: ValueInfoProto, renamed: ReadonlyMap<Dim, Dim>): ValueType | undefined {
  const type = info.type?.value;
  const isKnown =
    type?.case === "tensorType" &&
    isComputedType(type.value.elemType) &&
    type.value.shape?.dim.every(({ value }) => value.case !== undefined);
  if (!isKnown) return undefined;
  const { dtype, shape } = typeOf(info);
  return { dtype, shape: shape.map((dim) => renamed.get(dim) ?? dim) };
}

/** The type of an input; axes without a name get one. @throws LETHE_DATA_ONNX for what is no tensor */
export function typeOf(info: ValueInfoProto): { dtype: ValueType["dtype"]; shape: Shape } {
  const type = info.type?.value;
  if (type?.case !== "tensorType") throw onnxError(`input \`${info.name}\` to be a tensor`);
  const shape = (type.value.shape?.dim ?? []).map(({ value }, axis): Dim => {
    if (value.case === "dimValue" && value.value > 0n) return Number(value.value);
    if (value.case === "dimParam" && value.value !== "") return value.value;
    return axis === 0 ? "batch" : `${info.name}_${axis}`;
  });
  return { dtype: computedType(type.value.elemType), shape };
}
