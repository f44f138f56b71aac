import { add, concat, mul, split, sub } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/** The slowest frequency is one over this. */
const BASE = 10_000;

/**
 * Turns pairs (xⱼ, xⱼ₊d/₂) by the angle t·10000^(−2j/d) at position t, so that products of turned vectors depend on their
 * distance alone.
 *
 * @param x - […, positions, size], size even
 * Source: Su et al., "RoFormer" (2021), arXiv 2104.09864, section 3.2; halves in place of neighbours, as GPT-NeoX pairs them.
 */
export function rotated(x: Value, positions: number, size: number): Value {
  const half = size / 2;
  const table = (f: (angle: number) => number): Value =>
    x.graph.constant(
      {
        dtype: "float32",
        shape: [positions, half],
        data: Float32Array.from({ length: positions * half }, (_, at) =>
          f(Math.floor(at / half) * BASE ** (-(at % half) / half)),
        ),
      },
      "rotary",
    );
  const [cosine, sine] = [table(Math.cos), table(Math.sin)];
  const [a, b] = split(x, [half, half], -1) as [Value, Value];
  return concat([sub(mul(a, cosine), mul(b, sine)), add(mul(b, cosine), mul(a, sine))], x.shape.length - 1);
}
