// Orders: choosing one fires order-select, signing fires order-sign. The cards of a chosen order stay until it goes.

import { Basket, inWords, referenceTo } from "./basket.js";
import { showCards, showWaiting } from "./cards.js";
import { announce, counted, el, show } from "./dom.js";
import { showOrderPad } from "./orderpad.js";

/** The part of the page about orders. `ask(hook, drafts, selections)` calls a service; `tell(hook, item)` reports. */
export class Orders {
  constructor(places, ask, tell) {
    Object.assign(this, { places, ask, tell, basket: new Basket(), advice: new Map(), turn: 0 });
    showOrderPad(places.pad, (chosen) => this.choose([this.basket.draft(chosen)]));
  }

  /** Another patient: the drafts that wait for a signature are chosen, and nothing else is there. */
  async open(patientId, today, waiting) {
    this.turn += 1;
    this.basket.empty(patientId, today);
    this.basket.hold(waiting);
    this.advice.clear();
    this.showBasket();
    show(this.places.cards);
    if (waiting.length) await this.choose(waiting.map(referenceTo));
  }

  /** Asks about everything again, because other data are sent now. */
  async again() {
    const { orders } = this.basket;
    this.advice.clear();
    if (orders.length) await this.choose(orders.map(referenceTo));
  }

  /** Takes a suggestion over. */
  async take(suggestion) {
    const changed = this.basket.apply(suggestion);
    this.forgetGone();
    this.showBasket();
    announce(`${suggestion.label}: now in the basket.`);
    if (changed.length) await this.choose(changed);
    else this.showAdvice();
  }

  async choose(references) {
    const { turn } = this;
    this.advice.delete("signing");
    this.showBasket();
    if (!this.advice.size) showWaiting(this.places.cards);
    const answer = await this.ask("order-select", this.basket.orders, references);
    if (turn !== this.turn) return;
    this.advice.set(references.join(" "), answer);
    this.showAdvice();
  }

  remove(reference) {
    this.basket.remove(reference);
    this.forgetGone();
    this.advice.delete("signing");
    this.showBasket();
    this.showAdvice();
    document.getElementById("order-search").focus();
  }

  async sign() {
    const { turn } = this;
    showWaiting(this.places.cards);
    const answer = await this.ask("order-sign", this.basket.orders, null);
    if (turn !== this.turn) return;
    this.advice.set("signing", answer);
    this.showAdvice();
    this.showBasket(true);
    document.getElementById("finish").focus();
  }

  finish() {
    const signed = this.basket.orders.length;
    this.basket.empty(this.basket.patientId, this.basket.today);
    this.advice.clear();
    show(this.places.cards);
    show(this.places.basket, el("p", { class: "empty" }, `${counted(signed, "order")} signed, in this page only.`));
    announce(`${counted(signed, "order")} signed.`);
    document.getElementById("order-search").focus();
  }

  /** Advice about a draft that is no longer there goes with it. */
  forgetGone() {
    const there = new Set(this.basket.orders.map(referenceTo));
    for (const key of this.advice.keys()) {
      if (key !== "signing" && !key.split(" ").some((reference) => there.has(reference))) this.advice.delete(key);
    }
  }

  showAdvice() {
    const signing = this.advice.get("signing");
    const told = signing ? [signing] : [...this.advice.values()];
    const speaking = told.filter((one) => one.status !== 200 || one.answer.cards.length);
    const shown = speaking.length ? speaking : told.slice(-1);
    show(this.places.cards, shown.map((one) => {
      const place = el("div", { class: "answer" });
      showCards(place, one, (suggestion) => this.take(suggestion), (item) => this.tell(one.hook, item));
      return place;
    }));
  }

  showBasket(asked = false) {
    const { drafts, orders } = this.basket;
    if (!drafts.length) return show(this.places.basket, el("p", { class: "empty" }, "Nothing is drafted."));
    return show(this.places.basket,
      el("ul", { class: "basket", "aria-label": "Basket" }, drafts.map((draft) => this.line(draft))),
      el("div", { class: "signing" },
        asked ? el("button", { type: "button", class: "main", id: "finish", onclick: () => this.finish() }, this.advice.get("signing").answer?.cards?.length ? "Sign all the same" : "Sign now")
          : el("button", { type: "button", class: "main", onclick: () => this.sign(), disabled: !orders.length }, `Sign ${counted(orders.length, "order")}`),
        asked ? el("button", { type: "button", class: "plain", onclick: () => this.back() }, "Back to the orders") : null));
  }

  back() {
    this.advice.delete("signing");
    this.showBasket();
    this.showAdvice();
    this.places.basket.querySelector("button.main").focus();
  }

  line(draft) {
    const { what, more } = inWords(draft);
    const kind = { MedicationRequest: "Medicine", ServiceRequest: "Request", Task: "Task" }[draft.resourceType] ?? draft.resourceType;
    return el("li", {}, el("span", { class: "kind" }, kind), el("span", { class: "what" }, what),
      more ? el("span", { class: "when" }, more) : null,
      el("button", { type: "button", class: "plain", onclick: () => this.remove(referenceTo(draft)), "aria-label": `Remove ${what}` }, "Remove"));
  }
}
