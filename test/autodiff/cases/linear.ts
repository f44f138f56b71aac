import fc from "fast-check";
import { float, int, text } from "../../../src/onnx/attributes.ts";
import { gemm } from "../../../src/onnx/functions/index.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import { type CaseTable, type OperatorCase, real } from "../operator-case.ts";

const size = fc.integer({ min: 1, max: 4 });
const scale = fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround);

/** Matrix products. */
export const linearCases: CaseTable = {
  MatMul: fc
    .tuple(
      size,
      size,
      size,
      fc.constantFrom("22", "12", "21", "11", "32", "23", "33", "43", "34"),
      fc.boolean(),
    )
    .map(([m, k, n, ranks, stretch]): OperatorCase => {
      const lead = [2, stretch ? 1 : 3];
      const left = ranks[0] === "1" ? [k] : [...lead.slice(0, Number(ranks[0]) - 2), m, k];
      const right = ranks[1] === "1" ? [k] : [...[2, 3].slice(4 - Number(ranks[1])), k, n];
      const fits = ranks[0] === "3" ? [stretch ? 1 : 3, m, k] : left;
      return {
        inputs: [real(fits, undefined, ranks[0] !== "1" && ranks[1] === "2"), real(right)],
        build: (a, b) => a.graph.apply("MatMul", [a, b]),
      };
    }),
  "com.microsoft:FusedMatMul": fc.tuple(size, size, size, fc.boolean(), fc.boolean(), scale).map(
    ([m, k, n, transA, transB, alpha]): OperatorCase => ({
      inputs: [real([2, ...(transA ? [k, m] : [m, k])], undefined, true), real(transB ? [n, k] : [k, n])],
      build: (a, b) =>
        a.graph.apply(
          "FusedMatMul",
          [a, b],
          { transA: int(Number(transA)), transB: int(Number(transB)), alpha: float(alpha) },
          "com.microsoft",
        ),
    }),
  ),
  Einsum: fc
    .tuple(
      fc.constantFrom(
        ["ij,jk->ik", "ij", "jk"],
        ["bij,bkj", "bij", "bkj"],
        ["bhqd,bhkd->bhqk", "bhqd", "bhkd"],
        ["bqhd,bkhd->bhqk", "bqhd", "bkhd"],
        ["i,j->ij", "i", "j"],
        ["i,i->", "i", "i"],
        ["ij->j", "ij"],
        ["ij->ji", "ij"],
        ["ba", "ba"],
        ["ii->i", "ii"],
        ["bii->b", "bii"],
        ["iji,ik->jk", "iji", "ik"],
        ["iii", "iii"],
        ["...ij,...jk->...ik", "xyij", "yjk"],
        ["...ij,jk", "xij", "jk"],
        ["i...->...", "ixy"],
        ["... , ...", "1y", "xy"],
        ["ab,bc,cd->ad", "ab", "bc", "cd"],
        ["ab,cd,b->ad", "ab", "cd", "b"],
        ["abc,cb->a", "abc", "cb"],
        ["b d, d e, b e -> b", "bd", "de", "be"],
      ),
      fc.array(size, { minLength: 26, maxLength: 26 }),
    )
    .map(([[equation, ...axes], sizes]): OperatorCase => {
      const sizeOf = (label: string): number =>
        label === "1" ? 1 : (sizes[label.charCodeAt(0) - 97] as number);
      // A batch, which the first operand names, has an open size.
      const isOpen = equation?.startsWith("b") === true;
      return {
        inputs: axes.map((labels) =>
          real([...labels].map(sizeOf), undefined, isOpen && labels.startsWith("b")),
        ),
        build: (...values) =>
          (values[0] as Value).graph.apply("Einsum", values, { equation: text(equation as string) }),
      };
    }),
  Gemm: fc
    .record({
      m: size,
      k: size,
      n: size,
      transA: fc.boolean(),
      transB: fc.boolean(),
      alpha: scale,
      beta: scale,
      c: fc.constantFrom("none", "full", "row", "column", "vector", "scalar"),
    })
    .map(({ m, k, n, c, ...options }): OperatorCase => {
      const addend = { none: undefined, full: [m, n], row: [1, n], column: [m, 1], vector: [n], scalar: [] }[
        c
      ];
      // An addend with a row for each sample would have to be open too.
      const isOpen = !options.transA && c !== "full" && c !== "column";
      return {
        inputs: [
          real(options.transA ? [k, m] : [m, k], undefined, isOpen),
          real(options.transB ? [n, k] : [k, n]),
          ...(addend === undefined ? [] : [real(addend)]),
        ],
        build: (a, b, addendValue) => gemm(a as typeof b, b as typeof a, addendValue, options),
      };
    }),
};
