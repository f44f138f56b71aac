import { numberAttribute, stringAttribute } from "../../../src/onnx/attributes.ts";
import { type Evaluators, inputAt } from "./evaluator.ts";
import { at, broadcast, broadcastAt, indices, type NdArray, tabulate } from "./nd-array.ts";

/** Matrix products. */
export const linearEvaluators: Evaluators = {
  MatMul: (application) => {
    const [a, b] = [inputAt(application, 0), inputAt(application, 1)];
    const left = a.shape.length === 1 ? { ...a, shape: [1, ...a.shape] } : a;
    const right = b.shape.length === 1 ? { ...b, shape: [...b.shape, 1] } : b;
    const y = product(left, right);
    const rows = a.shape.length === 1 ? [] : y.shape.slice(-2, -1);
    const columns = b.shape.length === 1 ? [] : y.shape.slice(-1);
    return [{ data: y.data, shape: [...y.shape.slice(0, -2), ...rows, ...columns] }];
  },
  "com.microsoft:FusedMatMul": (application) => {
    const turned = (x: NdArray, flag: string): NdArray =>
      numberAttribute(application.attributes, flag, 0) === 0
        ? x
        : tabulate([...x.shape.slice(0, -2), ...x.shape.slice(-2).toReversed()], (index) =>
            at(x, [...index.slice(0, -2), ...index.slice(-2).toReversed()]),
          );
    const y = product(turned(inputAt(application, 0), "transA"), turned(inputAt(application, 1), "transB"));
    return [{ ...y, data: y.data.map((x) => x * numberAttribute(application.attributes, "alpha", 1)) }];
  },
  // Σ over all labels that are not in the output, of the product of one element from each operand.
  Einsum: (application) => {
    const operands = application.inputs.map((_, index) => inputAt(application, index));
    const [left = "", right] = stringAttribute(application.attributes, "equation", "")
      .replaceAll(" ", "")
      .split("->");
    const ranks = operands.map((x) => x.shape.length);
    // An ellipsis becomes digits, the last axis 9.
    const terms = left.split(",").map((term, index) => {
      const hidden = (ranks[index] as number) - term.replace("...", "").length;
      return [...term.replace("...", "0123456789".slice(10 - hidden))];
    });
    const all = [...new Set(terms.flat())].sort();
    const digits = all.filter((label) => label < "A").join("");
    const once = all.filter((label) => label >= "A" && terms.flat().filter((l) => l === label).length === 1);
    const output = [...(right?.replace("...", digits) ?? digits + once.join(""))];
    const size = (label: string): number =>
      Math.max(
        ...terms.flatMap((term, k) =>
          term.map((l, axis) => (l === label ? (operands[k]?.shape[axis] ?? 1) : 1)),
        ),
      );
    const inner = all.filter((label) => !output.includes(label));
    return [
      tabulate(output.map(size), (index) => {
        let total = 0;
        for (const rest of indices(inner.map(size))) {
          const place = new Map([
            ...output.map((l, k) => [l, index[k]] as const),
            ...inner.map((l, k) => [l, rest[k]] as const),
          ]);
          total += operands.reduce(
            (product, x, k) =>
              product *
              broadcastAt(
                x,
                (terms[k] as string[]).map((l) => place.get(l) as number),
              ),
            1,
          );
        }
        return total;
      }),
    ];
  },
  Gemm: (application) => {
    const { attributes } = application;
    const turned = (x: NdArray, flag: string): NdArray =>
      numberAttribute(attributes, flag, 0) === 0
        ? x
        : tabulate(x.shape.toReversed(), ([row, column]) => at(x, [column as number, row as number]));
    const y = product(turned(inputAt(application, 0), "transA"), turned(inputAt(application, 1), "transB"));
    const c = application.inputs[2];
    const alpha = numberAttribute(attributes, "alpha", 1);
    const beta = numberAttribute(attributes, "beta", 1);
    return [
      tabulate(
        y.shape,
        (index) => alpha * at(y, index) + (c === undefined ? 0 : beta * broadcastAt(c, index)),
      ),
    ];
  },
};

function product(a: NdArray, b: NdArray): NdArray {
  const lead = broadcast([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const inner = a.shape.at(-1) as number;
  return tabulate([...lead, a.shape.at(-2) as number, b.shape.at(-1) as number], (index) => {
    const [row, column] = index.slice(-2) as [number, number];
    const outer = index.slice(0, -2);
    let total = 0;
    for (let k = 0; k < inner; k++) {
      total += broadcastAt(a, [...outer, row, k]) * broadcastAt(b, [...outer, k, column]);
    }
    return total;
  });
}
