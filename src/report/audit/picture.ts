import type { Picture } from "../../audit/evidence/pictures.ts";
import { type Html, html } from "../html.ts";
import { encodePng } from "../png.ts";

/** Pixels as an image inside the page. */
export function renderPicture({ width, height, channels, pixels }: Picture, description: string): Html {
  const png = encodePng(Uint8Array.from(Buffer.from(pixels, "base64")), width, height, channels);
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<img src="${source}" width="${width}" height="${height}" alt="${description}" />`;
}
