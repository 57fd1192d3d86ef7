// Which data go with a request. Each prefetch key of the service is given, null, absent or an error, as a real record
// system may have it; and a FHIR server may be named, from which the service fetches what is absent.

import { ask, filledIn } from "./fhir.js";

export const STATES = { given: "given", null: "null: looked, none", absent: "absent: not sent", error: "error: tried, failed" };

const FAILED = {
  resourceType: "OperationOutcome",
  issue: [{ severity: "error", code: "exception", diagnostics: "The record system could not search these." }],
};

/** What is chosen on the page, and the answers of the record system for the patient in view. */
export class Prefetch {
  constructor(fhirServer) {
    this.fhirServer = fhirServer;
    this.nameServer = false;
    this.chosen = new Map();
    this.answers = new Map();
  }

  /** Another patient: what was read of the last one is forgotten. */
  forget() {
    this.answers.clear();
  }

  /** What is chosen for a key. */
  state(key) {
    return this.chosen.get(key) ?? "given";
  }

  /** All keys in one state, and the FHIR server named or not. */
  fetchedByTheService(yes, keys) {
    this.nameServer = yes;
    for (const key of keys) this.chosen.set(key, yes ? "absent" : "given");
  }

  /** The record system's answer to a template; null where the context has no value for it. */
  async answer(template, context) {
    const path = filledIn(template, context);
    if (path === null) return null;
    if (!this.answers.has(path)) this.answers.set(path, ask(path));
    return this.answers.get(path);
  }

  /** The members of a request that carry data: prefetch, fhirServer, both or neither. */
  async sent(service, context) {
    const keys = Object.entries(service.prefetch ?? {}).filter(([key]) => this.state(key) !== "absent");
    const values = await Promise.all(keys.map(([key, template]) => this.value(key, template, context)));
    const prefetch = Object.fromEntries(keys.map(([key], at) => [key, values[at]]).filter(([, value]) => value !== undefined));
    return {
      ...(this.nameServer ? { fhirServer: this.fhirServer } : {}),
      ...(Object.keys(prefetch).length ? { prefetch } : {}),
    };
  }

  async value(key, template, context) {
    if (filledIn(template, context) === null) return undefined;
    if (this.state(key) === "null") return null;
    return this.state(key) === "error" ? FAILED : this.answer(template, context);
  }
}
