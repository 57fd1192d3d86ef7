// The Markdown of a card as elements, by an allow-list: paragraphs, lists, strong, emphasis, code, links to https.
// What is not on the list stays the text it is. A paragraph that is strong throughout opens a section of its own.

import { el } from "./dom.js";

const INLINE = /\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|`([^`]+)`|\[([^\]]+)\]\((https:\/\/[^\s)]+)\)/g;
const ITEM = /^\s*[-*] +/;

/** The sections of a text, to be put into a card. */
export function sections(text) {
  const made = [el("section")];
  for (const block of text.replace(/\r\n?/g, "\n").split(/\n{2,}/)) {
    if (!block.trim()) continue;
    const title = /^\*\*([^*]+)\*\*$/.exec(block.trim());
    if (title) made.push(el("section", {}, el("h4", {}, title[1])));
    else made.at(-1).append(...rendered(block));
  }
  return made.filter((section) => section.childNodes.length > 0);
}

function rendered(block) {
  const made = [];
  for (const line of block.split("\n")) {
    const last = made.at(-1);
    if (ITEM.test(line)) {
      const item = el("li", {}, ...inline(line.replace(ITEM, "")));
      if (last?.tagName === "UL") last.append(item);
      else made.push(el("ul", {}, item));
    } else if (last?.tagName === "P") last.append(" ", ...inline(line));
    else made.push(el("p", {}, ...inline(line)));
  }
  return made;
}

function inline(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, strong, emphasis, code, label, address] = found;
    parts.push(text.slice(end, found.index));
    if (strong) parts.push(el("strong", {}, strong));
    else if (emphasis) parts.push(el("em", {}, emphasis));
    else if (code) parts.push(el("code", {}, code));
    else parts.push(linkTo(address, label));
    end = found.index + whole.length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

/** A link out of the page if the address is one of the web, otherwise its words alone. */
export function linkTo(address, label) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return el("span", {}, label);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return el("span", {}, label);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, label,
    el("span", { class: "unseen" }, " (opens a new tab)"));
}
