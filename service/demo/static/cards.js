// Cards as a record system shows them: how urgent in a word and a picture, the summary, the detail on demand, what can
// be taken over with one press, and a way to put the card aside with a reason. What the user does is told the service.

import { announce, counted, el, show } from "./dom.js";
import { icon } from "./icons.js";
import { linkTo, sections } from "./markdown.js";

const WORDS = { info: "Information", warning: "Warning", critical: "Critical" };

/** The cards of one answer. `take` puts a suggestion into the basket, `tell` sends feedback and gives its call. */
export function showCards(place, advice, take, tell) {
  place.setAttribute("aria-busy", "false");
  if (advice.status !== 200) show(place, refusal(advice));
  else if (!advice.answer.cards.length) show(place, silence());
  else show(place, advice.answer.cards.map((card) => article(card, take, tell)));
  announce(spoken(advice));
}

/** That an answer is on its way. */
export function showWaiting(place) {
  place.setAttribute("aria-busy", "true");
  show(place, el("p", { class: "waiting" }, "Asking muscle-cds …"));
}

function silence() {
  return el("div", { class: "silence" }, icon("silent"),
    el("p", {}, el("strong", {}, "No cards: the service has nothing to say."), " ",
      "This does not mean that nothing is wrong. It looks for muscle twitches and cramps alone, in coded entries alone."));
}

function refusal(advice) {
  const said = advice.answer?.issue?.[0]?.diagnostics ?? advice.answer?.said ?? "No reason was given.";
  return el("div", { class: "trouble", role: "alert" }, icon("warning"),
    el("p", {}, el("strong", {}, advice.status ? `The service could not answer (status ${advice.status}). ` : "No answer. "), said));
}

function spoken(advice) {
  if (advice.status !== 200) return "The service could not answer.";
  const { cards } = advice.answer;
  if (!cards.length) return "No cards: the service has nothing to say.";
  const kinds = Object.keys(WORDS).reverse()
    .map((indicator) => [cards.filter((card) => card.indicator === indicator).length, WORDS[indicator].toLowerCase()])
    .filter(([number]) => number).map(([number, word]) => `${number} ${word}`);
  return `${counted(cards.length, "card")}: ${kinds.join(", ")}.`;
}

function article(card, take, tell) {
  const indicator = WORDS[card.indicator] ? card.indicator : "info";
  const title = el("h3", { id: `card-${card.uuid}`, tabindex: "-1" }, card.summary);
  const outcome = el("p", { class: "outcome", role: "status" });
  const body = el("div", { class: "card-body" });
  const made = el("article", { class: `card card-${indicator}`, "aria-labelledby": title.id, "data-topic": card.source.topic?.code },
    el("div", { class: "from" }, el("p", { class: "indicator" }, icon(indicator), WORDS[indicator]), sourceOf(card)), title, body, outcome);
  body.append(
    ...(card.detail ? [el("details", { class: "detail" }, el("summary", {}, "What it rests on, and what to consider"),
      el("div", { class: "sections" }, sections(card.detail)))] : []),
    ...(card.suggestions?.length ? [suggestions(card, outcome, take, tell)] : []),
    foot(card, made, title, outcome, tell));
  return made;
}

function sourceOf({ source }) {
  return el("p", { class: "source" }, "Source: ", source.url ? linkTo(source.url, source.label) : source.label,
    source.topic?.display ? ` · ${source.topic.display}` : "");
}

function suggestions(card, outcome, take, tell) {
  return el("ul", { class: "suggestions", "aria-label": "Suggestions" }, card.suggestions.map((suggestion) => {
    const button = el("button", { type: "button", class: "suggestion", onclick: async () => {
      if (button.getAttribute("aria-disabled")) return;
      button.setAttribute("aria-disabled", "true");
      button.textContent = `Taken over: ${suggestion.label}`;
      take(suggestion);
      outcome.textContent = told("Accepted", await tell({
        card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }],
      }));
    } }, suggestion.label);
    return el("li", {}, button);
  }));
}

function foot(card, made, title, outcome, tell) {
  return el("footer", {},
    card.links?.length ? el("ul", { class: "links", "aria-label": "Read more" },
      card.links.map((link) => el("li", {}, linkTo(link.url, link.label)))) : null,
    card.uuid ? dismissal(card, made, title, outcome, tell) : null);
}

function dismissal(card, made, title, outcome, tell) {
  const reasons = el("select", { id: `reason-${card.uuid}` }, el("option", { value: "" }, "No reason"),
    (card.overrideReasons ?? []).map((reason, at) => el("option", { value: at }, reason.display)));
  const dismiss = async () => {
    const reason = card.overrideReasons?.[reasons.value];
    made.classList.add("dismissed");
    title.focus();
    const item = { card: card.uuid, outcome: "overridden", ...(reason ? { overrideReason: { reason } } : {}) };
    outcome.textContent = told(`Dismissed: ${reason?.display ?? "no reason given"}`, await tell(item));
  };
  return el("div", { class: "dismissal" },
    el("label", { for: reasons.id }, "Dismiss because"), reasons,
    el("button", { type: "button", class: "plain", onclick: dismiss }, "Dismiss"));
}

function told(what, feedback) {
  if (feedback.status !== 200) return `${what}. The service could not take the feedback (status ${feedback.status}).`;
  const { recorded, repeated, unmatched } = feedback.answer;
  return `${what}. The service answered: ${recorded} recorded, ${repeated} repeated, ${unmatched} of a card it does not know.`;
}
