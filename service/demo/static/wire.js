// Behind the scenes: every call with its request, answer, status and time; what is sent; and what the service keeps.

import { counted, el, show } from "./dom.js";
import { filledIn } from "./fhir.js";
import { json } from "./net.js";
import { STATES } from "./prefetch.js";

const MOST = 12;
const calls = [];

/** Puts a call at the top of the list, where the newest is open, and in short into the bar. */
export function showCall(place, bar, made) {
  calls.unshift(made);
  calls.length = Math.min(calls.length, MOST);
  show(bar, inBrief(made));
  show(place, el("ol", { class: "calls" }, calls.map((one, at) => el("li", {}, el("details", { open: at === 0 },
    el("summary", {}, inBrief(one)),
    el("p", { class: "path" }, `POST ${one.path}`),
    asJson("Request", one.request), asJson("Answer", one.answer))))));
}

function inBrief(one) {
  return [el("span", { class: "hook" }, one.hook),
    el("span", { class: one.status === 200 ? "status" : "status bad" }, `${one.status || "no answer"}`),
    el("span", { class: "took" }, `${Math.round(one.ms)} ms`), el("span", { class: "said" }, inShort(one))];
}

function inShort(one) {
  if (one.status !== 200) return "refused";
  return one.answer.cards ? counted(one.answer.cards.length, "card") : `${one.answer.recorded} recorded`;
}

function asJson(title, body) {
  const text = JSON.stringify(body, null, 2);
  return el("details", { class: "json" }, el("summary", {}, `${title} `, el("span", { class: "took" }, size(text))),
    el("pre", { tabindex: "0", "aria-label": title }, text));
}

function size(text) {
  const bytes = new TextEncoder().encode(text).length;
  return bytes < 1000 ? `${bytes} bytes` : `${Math.round(bytes / 100) / 10} kB`;
}

/** The switches: one for each prefetch key, and whether the service is to fetch. `changed` is called after a change. */
export function showSwitches(place, prefetch, templates, context, changed) {
  const again = () => {
    showSwitches(place, prefetch, templates, context, changed);
    changed();
  };
  const whole = el("input", { type: "checkbox", id: "fetched", checked: prefetch.nameServer, onchange: () => {
    prefetch.fetchedByTheService(whole.checked, Object.keys(templates));
    again();
    document.getElementById("fetched").focus();
  } });
  show(place,
    el("div", { class: "check" }, whole, el("label", { for: "fetched" }, "Let the service fetch it",
      el("span", { class: "hint" }, "Names the FHIR server of this page; what is absent below is then searched there by the service."))),
    el("fieldset", { class: "switches" }, el("legend", {}, "Prefetch, key by key"),
      Object.entries(templates).map(([key, template]) => (filledIn(template, context) === null
        ? el("div", {}, el("span", { class: "key" }, key), el("span", { class: "hint" }, "not in this context"))
        : line(key, prefetch, changed)))));
}

function line(key, prefetch, changed) {
  const choice = el("select", { id: `key-${key}`, onchange: () => {
    prefetch.chosen.set(key, choice.value);
    changed();
  } }, Object.entries(STATES).map(([state, said]) => el("option", { value: state, selected: prefetch.state(key) === state }, said)));
  return el("div", {}, el("label", { for: choice.id, class: "key" }, key), choice);
}

/** What became of the cards so far, as the store of the service has it. */
export async function showKept(place) {
  const { lines } = await json("/demo/feedback");
  if (!lines.length) return show(place, el("p", { class: "empty" }, "Nothing yet."));
  return show(place, el("table", {},
    el("thead", {}, el("tr", {}, ["Topic", "Shown", "Accepted", "Dismissed"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, lines.map((one) => el("tr", {}, el("th", { scope: "row" }, one.topic),
      [one.shown, one.accepted, one.overridden].map((number) => el("td", {}, `${number}`)))))));
}
