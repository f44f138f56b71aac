import fc from "fast-check";

/** A shape [batch, channels, space…] with one to three axes of space. */
export const feature = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  )
  .map(([batch, depth, space]) => [batch, depth, ...space]);
