// Joins the parts of the page: which patient is in view, what is asked of the service, where the answers go.

import { showCards, showWaiting } from "./cards.js";
import { el, show } from "./dom.js";
import { call, contextOf, discover, report } from "./hooks.js";
import { json } from "./net.js";
import { Orders } from "./orders.js";
import { Prefetch } from "./prefetch.js";
import { byType, showBanner, showRecord } from "./record.js";
import { showCall, showKept, showSwitches } from "./wire.js";

const place = (id) => document.getElementById(id);

const [services, { patients }, about] = await Promise.all([discover(), json("/demo/patients"), json("/demo/about")]);
const prefetch = new Prefetch(about.fhirServer);
const templates = Object.assign({}, ...Object.values(services).map((service) => service.prefetch));
const orders = new Orders(
  { pad: place("order-pad"), basket: place("basket"), cards: place("order-cards") },
  (hook, drafts, selections) => ask(hook, contextOf(patient.patientId, drafts, selections)),
  (hook, item) => tell(hook, item));

let patient = null;
let visit = 0;

async function ask(hook, context) {
  const made = await call(services[hook], context, await prefetch.sent(services[hook], context));
  showCall(place("calls"), place("last-call"), made);
  showKept(place("kept"));
  return made;
}

async function tell(hook, item) {
  const made = await report(services[hook], item);
  showCall(place("calls"), place("last-call"), made);
  showKept(place("kept"));
  return made;
}

async function viewRecord(now) {
  showWaiting(place("record-cards"));
  const advice = await ask("patient-view", contextOf(patient.patientId));
  if (now !== visit) return;
  showCards(place("record-cards"), advice, (suggestion) => orders.take(suggestion), (item) => tell("patient-view", item));
}

async function open(name) {
  visit += 1;
  const now = visit;
  patient = patients.find((one) => one.name === name) ?? patients[0];
  prefetch.forget();
  mark(patient);
  window.scrollTo(0, 0);
  if (window.matchMedia("(max-width: 60rem)").matches) place("patients-fold").open = false;
  const context = contextOf(patient.patientId);
  const asked = Object.values(templates).map(async (template) => [template.split(/[/?]/)[0], await prefetch.answer(template, context)]);
  const [answers, { context: drafted }] = await Promise.all([Promise.all(asked), json(`/demo/patients/${patient.name}`)]);
  if (now !== visit) return;
  const waiting = (drafted.draftOrders?.entry ?? []).map((entry) => entry.resource);
  place("orders").parentNode.prepend(place(waiting.length ? "orders" : "advice"));
  const found = byType(answers.filter(([, answer]) => answer !== null));
  document.title = `${patient.title} · muscle-cds`;
  showBanner(place("banner"), patient, found.Patient[0], about.today);
  showRecord(place("record-parts"), found);
  showSwitches(place("sent"), prefetch, templates, context, async () => {
    await viewRecord(visit);
    await orders.again();
  });
  await viewRecord(now);
  if (now !== visit) return;
  await orders.open(patient.patientId, about.today, waiting);
}

function showList() {
  const opened = patients.filter((one) => services["patient-view"].id === one.service);
  const ordered = patients.filter((one) => services["patient-view"].id !== one.service);
  show(place("patients"), [["When a record is opened", opened], ["When something is ordered", ordered]].map(([title, group]) =>
    el("section", {}, el("h3", {}, title), el("ul", {}, group.map((one) => el("li", {},
      el("a", { href: `#${one.name}` },
        el("span", { class: "name" }, one.title), el("span", { class: "shows" }, one.shows))))))));
}

/** Marks who is in view, without touching the list, so that the focus stays where it is. */
function mark(current) {
  for (const link of document.querySelectorAll(".patients a")) {
    const here = link.hash === `#${current.name}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (here) link.scrollIntoView({ block: "nearest" });
  }
}

const fromAddress = () => decodeURIComponent(location.hash.slice(1));
window.addEventListener("hashchange", () => {
  if (patients.some((one) => one.name === fromAddress())) open(fromAddress());
});
showList();
await open(fromAddress());
