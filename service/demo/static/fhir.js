// What the page needs of FHIR: asking the record system's own server, and reading a few elements for people.

import { json } from "./net.js";

const BASE = "/demo/fhir";

/** The resources of a searchset or a single answer; null if the server refused. */
export function resources(answer) {
  if (answer.resourceType === "OperationOutcome") return null;
  if (answer.resourceType !== "Bundle") return [answer];
  return (answer.entry ?? []).map((entry) => entry.resource);
}

/** The template with its tokens filled in, or null if the context has no value for one of them. */
export function filledIn(template, context) {
  let missing = false;
  const path = template.replace(/\{\{context\.(\w+)\}\}/g, (_, name) => {
    missing ||= context[name] === undefined;
    return encodeURIComponent(context[name] ?? "");
  });
  return missing ? null : path;
}

/** One read or search of the record system: the JSON of the answer, an OperationOutcome where it was refused. */
export async function ask(path) {
  return json(`${BASE}/${path}`, { headers: { Accept: "application/fhir+json" } });
}

/** A CodeableConcept in words. */
export function words(concept) {
  return concept?.text ?? concept?.coding?.find((coding) => coding.display)?.display ?? "Not named";
}

/** What a request is for, in words. */
export function named(resource) {
  return resource.description ?? words(resource.medicationCodeableConcept ?? resource.code);
}

/** The whole years between two dates as YYYY-MM-DD. */
export function yearsBetween(born, today) {
  const years = Number(today.slice(0, 4)) - Number(born.slice(0, 4));
  return today.slice(5) < born.slice(5) ? years - 1 : years;
}

/** A date as a clinician writes it: 3 Jun 2026. A year or a month stays what it is. */
export function day(text) {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text ?? "")) return text ?? "";
  const [year, month, date] = text.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date)).toLocaleDateString("en-GB",
    { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}
