/**
 * The 16 bits of the IEEE 754 half-precision number nearest to `value`, ties to even; too large ones become infinite.
 */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  // Halves from 65520 on round up beyond the largest finite number, 65504.
  if (magnitude >= 65520) return sign | 0x7c00;
  let exponent = -14;
  let unit = 2 ** -24;
  while (magnitude >= 2 ** (exponent + 1)) {
    exponent++;
    unit *= 2;
  }
  const units = roundHalfEven(magnitude / unit);
  // Subnormal numbers have exponent field 0; a mantissa that rounds up carries into the exponent by itself.
  const field = magnitude < 2 ** -14 ? 0 : exponent + 14;
  return sign | (field * 1024 + units);
}

/** The number that 16 bits of half precision spell. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const field = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  if (field === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (field === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (field - 25);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
