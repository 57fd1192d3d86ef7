// The orders of the session: drafts in FHIR R4, what is chosen, what a suggestion changes. It shows nothing by itself.

import { named } from "./fhir.js";

const ORDERS = new Set(["MedicationRequest", "ServiceRequest"]);

export class Basket {
  constructor() {
    this.empty();
  }

  /** Nothing is drafted; for another patient. */
  empty(patientId = "", today = "") {
    Object.assign(this, { patientId, today, drafts: [], made: 0 });
  }

  /** The drafts that are orders; a task that a card proposed is none. */
  get orders() {
    return this.drafts.filter((draft) => ORDERS.has(draft.resourceType));
  }

  /** Drafts that were there before the page was opened. */
  hold(drafts) {
    this.drafts.push(...drafts);
  }

  /** A new draft of something found by name; its reference, as the hooks name it. */
  draft({ kind, code }) {
    const common = { status: "draft", intent: "order", subject: { reference: `Patient/${this.patientId}` }, authoredOn: this.today };
    return this.add(kind === "medicine"
      ? { resourceType: "MedicationRequest", ...common, medicationCodeableConcept: code }
      : { resourceType: "ServiceRequest", ...common, code });
  }

  /** Does what a suggestion says; the references of the orders that are new or changed. */
  apply(suggestion) {
    const changed = [];
    for (const action of suggestion.actions ?? []) {
      if (action.type === "create") changed.push(this.add(action.resource));
      else if (action.type === "update") changed.push(this.replace(action.resource));
      else if (action.type === "delete") this.remove(action.resourceId);
    }
    return changed.filter((reference) => this.orders.some((draft) => referenceTo(draft) === reference));
  }

  /** A resource under an id of the session's own. */
  add(resource) {
    this.made += 1;
    const draft = { resourceType: resource.resourceType, ...resource, id: `new-${this.made}` };
    this.drafts.push(draft);
    return referenceTo(draft);
  }

  /** A changed resource in the place of the one it changes. */
  replace(resource) {
    this.drafts = this.drafts.map((draft) => (referenceTo(draft) === referenceTo(resource) ? resource : draft));
    return referenceTo(resource);
  }

  /** Takes a draft out. */
  remove(reference) {
    this.drafts = this.drafts.filter((draft) => referenceTo(draft) !== reference);
  }
}

/** How hooks name a draft: its type and its id. */
export function referenceTo(draft) {
  return `${draft.resourceType}/${draft.id}`;
}

/** A draft in words, with its directions or the reason for it. */
export function inWords(draft) {
  const more = draft.dosageInstruction?.[0]?.text ?? draft.reasonCode?.[0]?.text ?? draft.note?.[0]?.text ?? "";
  return { what: named(draft), more };
}
