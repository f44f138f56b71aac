import { describe, expect, it } from "vitest";
import { formatCodec, parseCodec } from "./codec-argument.ts";

describe("a codec's text", () => {
  it.each([
    "z:1.2",
    "e8:2,temporal:1.1",
    "z:1.2,kappa:0.5",
    "z,step:2",
    "int8",
    "none,mean:0.5",
    "e8:1,element:2,kappa:0.25",
    "tcq8:0.5,kappa:0.5",
    "d4,fixed:4,non-subtractive",
    "topk:1",
    "deadzone:0.5,feedback:-0.15",
    "tcq8:1,rotate:10,rans,temporal:1",
    "tcq4:0.5,predict:2",
  ])("%s is read and written alike", (text) => expect(formatCodec(parseCodec(text))).toBe(text));

  it.each([
    ["", /got `` in ``/],
    ["q:2", /Expected QUANTISER:BITS.*got `q:2`/],
    ["constructor", /got `constructor`/],
    ["z:", /got `z:`/],
    ["z:many", /got `z:many`/],
    ["z:1.2:3", /got `z:1.2:3`/],
    ["int8:4", /got `int8:4`/],
    ["z:1.2,kappa", /got `kappa` in `z:1.2,kappa`/],
    ["z:1.2,temporal:x", /got `temporal:x`/],
    ["z:1.2,step:2", /got `step:2`/],
    ["z,mean:1,temporal:1", /got `temporal:1`/],
    ["z:1.2,kappa:2", /storedClientFraction/],
    ["deadzone,fixed:4", /Expected a dithered quantiser/],
    ["z,fixed:1", /fixedBits/],
    ["z:1,feedback:0,kappa:0.5", /Expected feedback with every update stored/],
    ["topk:1,rotate:4", /Expected a quantiser with a step/],
    ["z:1,rotate:4,element:1", /Expected no rotation/],
    ["topk:1,predict:4", /Expected a quantiser with a step/],
    ["z:1,rotate:4,predict:4", /Expected a rotation or a prediction/],
    ["z:1,predict:4,element:1", /Expected no rotation or prediction/],
    ["z:1,non-subtractive:1", /got `non-subtractive:1`/],
  ])("%j is refused with the part that is wrong", (text, message) => {
    expect(() => parseCodec(text)).toThrow(message);
  });
});
