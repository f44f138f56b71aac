import { LetheError } from "../kernel/errors.ts";

/** For a file that is no ONNX model, or contradicts itself: LETHE_DATA_ONNX. */
export function onnxError(expected: string, cause?: unknown): LetheError {
  return new LetheError("data", "DATA_ONNX", `Expected ${expected}.`, { cause });
}
