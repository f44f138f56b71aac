/** What a model may know of a mail, and who sent it. */
export interface Mail {
  /** Address in small letters; `undefined` where the header names none. */
  readonly sender: string | undefined;
  /** The line of the header a person reads first. */
  readonly title: string;
  /** All after the header, as it was sent. */
  readonly body: string;
}

/** Parts of names before and after the @ of an address; brackets and quotes end it. */
const ADDRESS = /[^\s<>()[\]:;,"@]+@[^\s<>()[\]:;,"@]+/;

/**
 * Takes a mail apart: header up to the first empty line, in which a line that begins with a space goes on the one before. The
 * rest of the header is left out: it names people and the way the mail took.
 *
 * Source: RFC 5322, sections 2.1 and 2.2. Departure: an encoded body (RFC 2045) stays as it is.
 */
export function parseMail(text: string): Mail {
  const end = /\r?\n\r?\n/.exec(text);
  const header = (end ? text.slice(0, end.index) : text).replace(/\r?\n[ \t]+/g, " ");
  const field = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(header)?.[1]?.trim() ?? "";
  return {
    sender: ADDRESS.exec(withoutName(field("From")))?.[0].toLowerCase(),
    title: field("Subject"),
    body: end ? text.slice(end.index + end[0].length) : "",
  };
}

/** The part in angle brackets, where there is one: the name before it may look like an address. */
function withoutName(from: string): string {
  return /<([^<>]*@[^<>]*)>/.exec(from)?.[1] ?? from;
}
