// Renders card texts as a record system would, and says what of the result is more than plain words (fault F23).
//
// Standard input: {"texts": ["...", ...], "links": ["https://...", ...]}. Standard output: how much was rendered, which
// elements were met, and every text that gave an element, attribute or link that is not allowed.
// The first renderer is the stack of the public CDS Hooks sandbox, with raw HTML on; the others have theirs on as well.

import MarkdownIt from "markdown-it";
import { marked } from "marked";
import { parseFragment } from "parse5";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import Markdown from "react-markdown";
import rehypeRaw from "rehype-raw";
import remarkGfm from "remark-gfm";

const plain = new Set(["p", "strong", "em", "ul", "li"]);
const markdownIt = new MarkdownIt({ html: true, linkify: true });

const renderers = {
  sandbox: (text) =>
    renderToStaticMarkup(
      createElement(Markdown, { remarkPlugins: [remarkGfm], rehypePlugins: [rehypeRaw], children: text }),
    ),
  "markdown-it": (text) => markdownIt.render(text),
  marked: (text) => marked.parse(text),
};

// From a pipe the input comes in pieces: it is read to its end before anything is done.
const pieces = [];
for await (const piece of process.stdin) pieces.push(piece);
const { texts, links } = JSON.parse(Buffer.concat(pieces).toString("utf8"));
const ours = new Set(links);
const met = {};
const offences = [];
let rendered = 0;

function* live(node) {
  for (const child of node.childNodes ?? []) {
    const name = child.nodeName;
    if (name !== "#text") {
      met[name] = (met[name] ?? 0) + 1;
      const attributes = child.attrs ?? [];
      const href = attributes.find((one) => one.name === "href")?.value;
      const ownLink = name === "a" && attributes.length === 1 && ours.has(href);
      if (!ownLink && !plain.has(name)) yield `<${name}>`;
      else if (!ownLink && attributes.length > 0) yield `${name} ${attributes.map((one) => one.name).join(" ")}`;
    }
    yield* live(child);
    if (child.content) yield* live(child.content);
  }
}

for (const [index, text] of texts.entries()) {
  for (const [renderer, render] of Object.entries(renderers)) {
    rendered += 1;
    const found = [...live(parseFragment(render(text)))];
    if (found.length > 0) offences.push({ index, renderer, found });
  }
}
process.stdout.write(JSON.stringify({ rendered, met, offences }));
