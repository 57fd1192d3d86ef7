// CDS Hooks from the side of the record system: discovery, a hook call, feedback. Every call is kept for the side panel.

import { asked, json } from "./net.js";

const USER = "Practitioner/demo-gp";

/** The services, by the hook that calls them. */
export async function discover() {
  const { services } = await json("/cds-services");
  return Object.fromEntries(services.map((service) => [service.hook, service]));
}

/** The context of a hook: drafts and selections are left out where there are none to judge. */
export function contextOf(patientId, drafts = null, selections = null) {
  const context = { userId: USER, patientId };
  if (drafts) {
    context.draftOrders = {
      resourceType: "Bundle", type: "collection", entry: drafts.map((resource) => ({ resource })),
    };
  }
  if (selections) context.selections = selections;
  return context;
}

/** Calls a service. What went out, what came back, and how long it took; a call that failed has status 0. */
export async function call(service, context, sent) {
  const request = { hook: service.hook, hookInstance: crypto.randomUUID(), context, ...sent };
  return post(`/cds-services/${service.id}`, service.hook, request);
}

/** Tells the service what became of a card. */
export async function report(service, item) {
  const request = { feedback: [{ ...item, outcomeTimestamp: new Date().toISOString() }] };
  return post(`/cds-services/${service.id}/feedback`, "feedback", request);
}

async function post(path, hook, request) {
  const began = performance.now();
  let status = 0;
  let answer = null;
  try {
    const response = await asked(path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request),
    });
    status = response.status;
    answer = response.json();
  } catch {
    answer ??= { said: "The service could not be reached." };
  }
  return { path, hook, request, status, answer, ms: performance.now() - began };
}
