import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { html, trustedHtml } from "./html.ts";

describe("html", () => {
  it("shows any text as that text, in elements and in attributes", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "a", " ", ";", "script") }),
        (text) => {
          const { document } = parseHTML(
            `<!doctype html><html><body>${html`<p title="${text}">${text}</p>`.markup}</body></html>`,
          );
          expect(document.body.children.length).toBe(1);
          expect(document.querySelector("p")?.textContent).toBe(text);
          expect(document.querySelector("p")?.getAttribute("title")).toBe(text);
        },
      ),
    );
  });

  it("joins lists, prints zero, and prints nothing for what is missing", () => {
    expect(html`${[1, 0, false, undefined, [html`<b>x</b>`]]}`.markup).toBe("10<b>x</b>");
  });

  it("takes trusted markup as it is", () => {
    expect(html`${trustedHtml("<i>&amp;</i>")}`.markup).toBe("<i>&amp;</i>");
  });
});
