import { LetheError } from "../kernel/errors.ts";
import type { Attributes } from "./attributes.ts";
import type {
  ComposedFunction,
  EmitOptions,
  GraphBuilder,
  GraphNode,
  InferContext,
  Operator,
  OperatorTable,
  Value,
  ValueType,
} from "./ir.ts";
import { operatorKey } from "./operator.ts";
import type { Dim, Shape } from "./shape.ts";
import { formatShape } from "./shape.ts";
import { bytesOf, type DType, numbersOf, type Tensor, tensorOfNumbers } from "./tensor.ts";

/** Constants up to this many bytes are shared when equal. */
const SHARED_CONSTANT_BYTES = 256;

/** No model has more axes; without a bound a small file of gathers could ask for 2ⁿ of them. */
const MOST_AXES = 64;

/** Longer computed vectors are no shapes; they are not followed, or a small file of concatenations could grow to 2ⁿ. */
const MOST_CONTENTS = 1024;

/** The element types shape arithmetic is done in; truth is 1 or 0. */
const COUNTED: ReadonlySet<DType> = new Set(["int64", "int32", "bool"]);

/** Real numbers of that many elements take part in it as factors and bounds: half a size, a limit of trips. */
const MOST_FACTORS = 8;

/**
 * A growing ONNX graph with static shape inference: every value knows its type and shape when it is made. Equal nodes
 * (same operator, inputs and attributes) are made once, so that a gradient reuses what the forward pass computed.
 */
export class Graph implements GraphBuilder {
  readonly operators: OperatorTable;
  readonly #inputs: Value[] = [];
  readonly #nodes: GraphNode[] = [];
  readonly #names = new Set<string>();
  readonly #reserved = new Set<string>();
  readonly #merged = new Map<string, readonly Value[]>();
  readonly #constants = new Map<string, Value>();
  readonly #composed = new Map<GraphNode, ComposedFunction>();
  #values = 0;

  constructor(operators: OperatorTable) {
    this.operators = operators;
  }

  /** Inputs in order of declaration. */
  get inputs(): readonly Value[] {
    return this.#inputs;
  }

  /** Nodes in an order of evaluation. */
  get nodes(): readonly GraphNode[] {
    return this.#nodes;
  }

  /** Keeps names for values yet to come, so that those made in between get others. */
  reserveNames(names: Iterable<string>): void {
    for (const name of names) this.#reserved.add(name);
  }

  /**
   * Declares an input: data, or a parameter that gets its value when the graph runs or is written.
   *
   * @throws LETHE_DATA_DUPLICATE_NAME
   */
  input(name: string, dtype: DType, shape: Shape): Value {
    const value = this.#value(name, { dtype, shape }, undefined, undefined);
    this.#inputs.push(value);
    return value;
  }

  /**
   * A fixed tensor. Small equal constants are one value.
   *
   * @param stem - how a name is made
   * @param name - the whole name, as when a model is read from a file
   */
  constant(tensor: Tensor, stem = "constant", name?: string): Value {
    const bytes = bytesOf(tensor);
    const key =
      bytes.length <= SHARED_CONSTANT_BYTES ? `${tensor.dtype}[${tensor.shape}]${bytes.join()}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined && (name === undefined || name === known.name)) return known;
    const contents = COUNTED.has(tensor.dtype) || isFactor(tensor) ? numbersOf(tensor) : undefined;
    const value = this.#value(
      name || this.#freshName(stem),
      { dtype: tensor.dtype, shape: tensor.shape, contents },
      undefined,
      tensor,
    );
    if (key !== undefined && known === undefined) this.#constants.set(key, value);
    return value;
  }

  /** A scalar constant. */
  scalar(value: number, dtype: DType = "float32"): Value {
    return this.constant(tensorOfNumbers(dtype, [], [value]), "scalar");
  }

  /** A one-dimensional int64 constant: axes, shapes, pads. */
  integers(values: readonly number[]): Value {
    return this.constant(tensorOfNumbers("int64", [values.length], values), "integers");
  }

  /**
   * Applies an operator and returns its outputs. One that is made of others (`Operator.lower`) adds those instead.
   *
   * @param outputCount - outputs wanted, for operators with optional ones
   * @param outputNames - names to give, as when a model is read from a file
   * @param declared - types of the outputs of an operator outside the table, and `version` of its domain
   * @throws LETHE_DATA_OPERATOR when the operator is not known and no types are declared; LETHE_DATA_SHAPE when the inputs do not fit, or the node has
   *   more outputs than the operator; LETHE_DATA_DUPLICATE_NAME for a name that is taken
   */
  emit(
    type: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
    options: EmitOptions = {},
  ): readonly Value[] {
    const { domain = "", outputCount = 1 } = options;
    const key = operatorKey(type, domain);
    const operator = this.operators.get(key) ?? declaredOperator(type, options.declared);
    if (operator === undefined) throw this.#unknownOperator(key, options.name);
    for (const input of inputs) {
      if (input !== undefined && input.graph !== this) {
        throw new Error(`${type}: input ${input.name} belongs to another graph`);
      }
    }
    const context = { type, inputs, attributes, outputCount };
    const lowered = this.#locatingErrors(context, options.name, () => operator.lower?.(context));
    if (lowered !== undefined) {
      if (lowered.length < outputCount) throw tooManyOutputs(type, lowered.length, outputCount);
      return lowered;
    }
    const merge = operator.isRandom ? undefined : mergeKey(key, inputs, attributes, outputCount);
    const known = merge === undefined ? undefined : this.#merged.get(merge);
    if (known !== undefined && options.outputNames === undefined) return known;

    const types = this.#locatingErrors(context, options.name, () => operator.infer(context));
    if (types.length < outputCount) throw tooManyOutputs(type, types.length, outputCount);
    const node: { -readonly [K in keyof GraphNode]: GraphNode[K] } = {
      type,
      domain,
      name: options.name ?? "",
      inputs,
      outputs: [],
      attributes,
      ...(this.operators.has(key) || options.version === undefined ? {} : { version: options.version }),
    };
    node.outputs = types.map((valueType, index) => {
      const name = options.outputNames?.[index];
      return this.#value(name || this.#freshName(type), valueType, node, undefined);
    });
    this.#nodes.push(node);
    if (merge !== undefined && known === undefined) this.#merged.set(merge, node.outputs);
    return node.outputs;
  }

  /** As {@link emit}, for an operator with one output. */
  apply(
    type: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
    domain = "",
  ): Value {
    return this.emit(type, inputs, attributes, { domain })[0] as Value;
  }

  compose(composed: ComposedFunction): void {
    const last = composed.outputs.reduce((latest, output) => (output.id > latest.id ? output : latest));
    if (last.node !== undefined) this.#composed.set(last.node, composed);
  }

  composedAt(node: GraphNode): ComposedFunction | undefined {
    return this.#composed.get(node);
  }

  #locatingErrors<T>(context: InferContext, name: string | undefined, rule: () => T): T {
    try {
      return rule();
    } catch (cause) {
      if (!(cause instanceof LetheError)) throw cause;
      const shapes = context.inputs
        .map((input) => (input === undefined ? "–" : formatShape(input.shape)))
        .join(", ");
      const where = `node ${name ? `\`${name}\` ` : ""}(${context.type} of ${shapes})`;
      throw new LetheError(cause.kind, cause.code.replace(/^LETHE_/, ""), `${cause.message} In ${where}.`, {
        details: { ...cause.details, operator: context.type, node: name ?? "" },
        cause,
      });
    }
  }

  #value(name: string, type: ValueType, node: GraphNode | undefined, constant: Tensor | undefined): Value {
    if (this.#names.has(name)) {
      throw new LetheError(
        "data",
        "DATA_DUPLICATE_NAME",
        `Expected distinct names in a graph, got \`${name}\` twice.`,
      );
    }
    if (type.shape.length > MOST_AXES) {
      throw new LetheError(
        "data",
        "DATA_SHAPE",
        `Expected at most ${MOST_AXES} axes in \`${name}\`, got ${type.shape.length}.`,
      );
    }
    this.#names.add(name);
    const isLong = constant === undefined && (type.contents?.length ?? 0) > MOST_CONTENTS;
    return {
      graph: this,
      id: this.#values++,
      name,
      node,
      constant,
      ...type,
      ...(isLong ? { contents: undefined } : {}),
    };
  }

  #freshName(stem: string): string {
    let name = `${stem}_${this.#values}`;
    while (this.#names.has(name) || this.#reserved.has(name)) name = `${name}_`;
    return name;
  }

  #unknownOperator(key: string, name: string | undefined): LetheError {
    return new LetheError(
      "data",
      "DATA_OPERATOR",
      `Expected an operator Lethe knows, got \`${key}\`${name ? ` in node \`${name}\`` : ""}. ` +
        "Export the model without it, or with its standard ONNX decomposition; where only weights behind it are to be trained, " +
        "it may stay if the file says the sizes of its outputs (onnx.shape_inference adds them).",
      { details: { operator: key, node: name ?? "" } },
    );
  }
}

/** An operator nobody knows, of which it is known what it gives. It may be random: equal nodes are not merged. */
function declaredOperator(
  type: string,
  declared: readonly (ValueType | undefined)[] | undefined,
): Operator | undefined {
  const types = declared?.filter((entry) => entry !== undefined) ?? [];
  if (types.length === 0 || types.length < (declared?.length ?? 0)) return undefined;
  return { type, isRandom: true, infer: () => types };
}

function tooManyOutputs(type: string, most: number, wanted: number): LetheError {
  return new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected at most ${most} output(s) of ${type}, got ${wanted}.`,
  );
}

function mergeKey(
  key: string,
  inputs: readonly (Value | undefined)[],
  attributes: Attributes,
  outputCount: number,
): string | undefined {
  const settings = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  if (settings.some(([, attribute]) => attribute.type === "tensor")) return undefined;
  return `${key}/${outputCount}(${inputs.map((input) => input?.id ?? "").join()})${JSON.stringify(settings)}`;
}

function isFactor({ shape, data }: Tensor): boolean {
  return shape.length <= 1 && data.length <= MOST_FACTORS;
}

/** The dimensions a shape-like integer value is known to hold, or `undefined`. */
export function knownContents(value: Value | undefined): readonly Dim[] | undefined {
  return value?.contents;
}
