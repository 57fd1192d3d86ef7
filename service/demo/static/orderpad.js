// The order pad: a search by name with a list to choose from, by the pattern of a combobox with a list of options.

import { announce, counted, el, show } from "./dom.js";
import { json } from "./net.js";

const KINDS = { medicine: "Medicine", test: "Test", referral: "Referral" };

/** Puts the pad into the page; `choose` is given what was chosen. */
export function showOrderPad(place, choose) {
  const pad = { found: [], active: -1, asked: 0 };
  const list = el("ul", { id: "found", role: "listbox", "aria-label": "Found by name", hidden: true });
  const input = el("input", {
    id: "order-search", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list",
    placeholder: "For example quinine, furosemide, creatine kinase", maxlength: "100",
    oninput: () => look(pad, input, list, choose),
    onkeydown: (event) => pressed(event, pad, input, list, choose),
    onblur: () => close(pad, input, list),
  });
  show(place, el("div", { class: "pad" },
    el("label", { for: input.id }, "Order a medicine, a test or a referral"), input, list));
}

async function look(pad, input, list, choose) {
  pad.asked += 1;
  const turn = pad.asked;
  const text = input.value.trim();
  if (text.length < 2) return close(pad, input, list);
  const { orderables } = await json(`/demo/orderables?q=${encodeURIComponent(text)}`);
  if (turn !== pad.asked) return undefined;
  Object.assign(pad, { found: orderables, active: -1 });
  show(list, orderables.map((one, at) => el("li", {
    id: `found-${at}`, role: "option", "aria-selected": "false",
    onpointerdown: (event) => event.preventDefault(),
    onclick: () => pick(pad, input, list, choose, at),
  }, el("span", {}, one.name), el("span", { class: "kind" }, KINDS[one.kind]))));
  if (!orderables.length) show(list, el("li", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, "Nothing of that name in the tables"));
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
  input.removeAttribute("aria-activedescendant");
  announce(`${counted(orderables.length, "name")} found.`);
  return undefined;
}

function pressed(event, pad, input, list, choose) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && pad.found.length) {
    event.preventDefault();
    move(pad, input, list, (pad.active + step + pad.found.length + (pad.active < 0 && step < 0 ? 1 : 0)) % pad.found.length);
  } else if (event.key === "Enter" && pad.found.length) {
    event.preventDefault();
    pick(pad, input, list, choose, Math.max(0, pad.active));
  } else if (event.key === "Escape") close(pad, input, list);
}

function move(pad, input, list, to) {
  list.children[pad.active]?.setAttribute("aria-selected", "false");
  pad.active = to;
  list.children[to].setAttribute("aria-selected", "true");
  list.children[to].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", `found-${to}`);
}

function pick(pad, input, list, choose, at) {
  const chosen = pad.found[at];
  input.value = "";
  close(pad, input, list);
  choose(chosen);
}

function close(pad, input, list) {
  pad.asked += 1;
  Object.assign(pad, { found: [], active: -1 });
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}
