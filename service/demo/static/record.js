// The record as a record system shows it: who it is, problems, medicines, results, and what else is there.

import { el, show } from "./dom.js";
import { day, named, resources, words, yearsBetween } from "./fhir.js";
import { icon } from "./icons.js";
import { trend } from "./trend.js";

/** The line at the top: who is in view, and what this patient is there to show. */
export function showBanner(place, patient, person, today) {
  const sex = { female: "Female", male: "Male" }[person.gender] ?? "Sex not recorded";
  show(place, el("header", { class: "person" },
    el("h1", {}, patient.title),
    el("p", { class: "who" }, person.name?.[0]?.text ?? "", ` · ${sex} · ${yearsBetween(person.birthDate, today)} years`,
      ` · born ${day(person.birthDate)}`),
    el("p", { class: "shows" }, `${patient.shows}.`)));
}

/** The parts of the record, from the answers of the record system by resource type. */
export function showRecord(place, byType) {
  const medicines = both(byType.MedicationStatement, byType.MedicationRequest);
  show(place,
    el("div", { class: "pair" },
      part("Problems", byType.Condition, (found) => list(found, problemLine)),
      part("Medicines", medicines, (found) => list(found, medicineLine))),
    part("Results", byType.Observation, results),
    ...[["ServiceRequest", "Requests", requestLine], ["AllergyIntolerance", "Allergies", codeLine],
      ["Procedure", "Procedures", codeLine], ["FamilyMemberHistory", "Family history", familyLine]]
      .filter(([type]) => byType[type] === null || byType[type]?.length)
      .map(([type, title, line]) => part(title, byType[type], (found) => list(found, line))));
}

/** The record system's answers to many searches, by type; null for a type that was refused. */
export function byType(answers) {
  const found = {};
  for (const [type, answer] of answers) {
    const read = resources(answer);
    found[type] = read === null || found[type] === null ? null : [...(found[type] ?? []), ...read];
  }
  return found;
}

function both(one, other) {
  return one === null || other === null ? null : [...(one ?? []), ...(other ?? [])];
}

function part(title, found, body) {
  let inside = body;
  if (found === null) inside = () => el("p", { class: "empty" }, "The record system does not hand these over.");
  else if (!found?.length) inside = () => el("p", { class: "empty" }, "None recorded.");
  return el("section", { class: "part" }, el("h3", {}, title), inside(found));
}

function list(found, line) {
  return el("ul", { class: "entries" }, found.map((one) => el("li", {}, line(one))));
}

const problemLine = (one) => entry(words(one.code), `since ${day(one.onsetDateTime ?? one.recordedDate)}`);
const medicineLine = (one) => entry(named(one), since(one));
const requestLine = (one) => entry(words(one.code), `${one.status}, ${day(one.authoredOn)}`);
const codeLine = (one) => entry(words(one.code), day(one.performedDateTime ?? one.recordedDate));
const familyLine = (one) => entry(words(one.relationship), (one.condition ?? []).map((each) => words(each.code)).join(", "));

function since(one) {
  const from = one.effectivePeriod?.start ?? one.effectiveDateTime ?? one.authoredOn;
  return from ? `${one.status}, since ${day(from)}` : one.status;
}

function entry(what, when) {
  return [el("span", { class: "what" }, what), " ", el("span", { class: "when" }, when)];
}

function results(found) {
  const series = new Map();
  for (const one of found) series.set(words(one.code), [...(series.get(words(one.code)) ?? []), one]);
  const rows = [...series].map(([name, ones]) => row(name, ones)).sort((one, other) => Number(other.outside) - Number(one.outside));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Results" },
    el("table", {},
      el("thead", {}, el("tr", {}, ["Test", "Latest and range", "Over time"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.map((one) => one.line))));
}

function row(name, ones) {
  const [newest] = ones;
  const low = newest.referenceRange?.[0]?.low?.value;
  const high = newest.referenceRange?.[0]?.high?.value;
  const unit = newest.valueQuantity?.unit ?? "";
  const values = ones.filter((one) => one.valueQuantity).reverse()
    .map((one) => ({ date: one.effectiveDateTime, value: one.valueQuantity.value, flag: flag(one.valueQuantity.value, low, high) }));
  const now = newest.valueQuantity ? flag(newest.valueQuantity.value, low, high) : "";
  const sample = newest.contained?.flatMap((one) => one.condition ?? []).map(words).join(", ");
  const line = el("tr", {},
    el("th", { scope: "row" }, name, el("span", { class: "when" }, day(newest.effectiveDateTime))),
    el("td", { class: now ? "value outside" : "value" },
      el("span", { class: "number" }, newest.valueQuantity ? `${newest.valueQuantity.value}` : said(newest)),
      unit ? el("span", { class: "unit" }, ` ${unit}`) : null,
      now ? el("span", { class: "flag" }, icon(now), now === "low" ? "Low" : "High") : null,
      sample ? el("span", { class: "flag" }, sample) : null,
      low === undefined && high === undefined ? null : el("span", { class: "when" }, `range ${low ?? ""}–${high ?? ""}`)),
    el("td", {}, trend(name, unit, values, low, high) ?? el("span", { class: "empty" }, unit ? "one value" : "")));
  return { line, outside: Boolean(now || sample) };
}

function flag(value, low, high) {
  if (low !== undefined && value < low) return "low";
  return high !== undefined && value > high ? "high" : "";
}

const said = (one) => one.valueString ?? (one.valueCodeableConcept ? words(one.valueCodeableConcept) : "no value");
