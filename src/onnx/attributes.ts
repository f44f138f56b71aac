import { LetheError } from "../kernel/errors.ts";
import type { Tensor } from "./tensor.ts";

/** A node's setting, tagged with its ONNX type, which the number alone would not tell. */
export type Attribute =
  | { readonly type: "int"; readonly value: number }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "ints"; readonly value: readonly number[] }
  | { readonly type: "floats"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "tensor"; readonly value: Tensor };

/** A node's settings by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** A whole number as an attribute. */
export const int = (value: number): Attribute => ({ type: "int", value });
/** A real number as an attribute. */
export const float = (value: number): Attribute => ({ type: "float", value });
/** A word as an attribute. */
export const text = (value: string): Attribute => ({ type: "string", value });
/** Whole numbers as an attribute. */
export const ints = (value: readonly number[]): Attribute => ({ type: "ints", value });

/** A whole number or a real one, or `fallback` when the attribute is absent. */
export function numberAttribute(attributes: Attributes, name: string, fallback: number): number {
  const attribute = attributes[name];
  if (attribute === undefined) return fallback;
  if (attribute.type === "int" || attribute.type === "float") return attribute.value;
  throw wrongType(name, "a number", attribute.type);
}

/** A list of whole numbers, or `fallback` when the attribute is absent. */
export function intsAttribute<F extends readonly number[] | undefined>(
  attributes: Attributes,
  name: string,
  fallback: F,
): readonly number[] | F {
  const attribute = attributes[name];
  if (attribute === undefined) return fallback;
  if (attribute.type === "ints") return attribute.value;
  throw wrongType(name, "a list of integers", attribute.type);
}

/** A word, or `fallback` when the attribute is absent. */
export function stringAttribute(attributes: Attributes, name: string, fallback: string): string {
  const attribute = attributes[name];
  if (attribute === undefined) return fallback;
  if (attribute.type === "string") return attribute.value;
  throw wrongType(name, "a string", attribute.type);
}

function wrongType(name: string, expected: string, got: string): LetheError {
  return new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected attribute \`${name}\` to be ${expected}, got ${got}.`,
  );
}
