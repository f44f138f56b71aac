import type { Response } from "./response.ts";

/** γ = exp(−c·Λ), part by part: what one round leaves of an earlier error. */
export function decayOf(response: Response, scale: number): Response {
  const decay = (variance: number): number => Math.exp(-scale * variance);
  return {
    core: response.core.map(decay),
    rows: response.rows.map(decay),
    columns: response.columns.map(decay),
    outside: decay(response.outside),
  };
}

/** What c is for squared responses, for each unit of θ. Read off a grid at θ = 3 on one data set: a stopgap. */
export const SQUARED_SCALE = 1000;

/**
 * (Λ/Λ_max)²: the stopgap for Adam clients whose v̄ was not recorded. Squaring undoes some of the flattening that the
 * division by √v̄ did to the spectrum.
 */
export function squaredResponse(response: Response): Response {
  const { core, rows, columns, outside } = response;
  const largest = [core, rows, columns].reduce(
    (max, part) => part.reduce((a, b) => Math.max(a, b), max),
    outside,
  );
  if (largest === 0) return response;
  const square = (variance: number): number => (variance / largest) ** 2;
  return {
    core: core.map(square),
    rows: rows.map(square),
    columns: columns.map(square),
    outside: square(outside),
  };
}
