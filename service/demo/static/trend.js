// A small picture of a result over time: the laboratory's range as a band, the values as a line, the newest as a dot.

import { svg } from "./dom.js";
import { day } from "./fhir.js";

const WIDTH = 112;
const HEIGHT = 32;
const EDGE = 5;

/** The picture of values, oldest first, each with date, value and flag; null where there is nothing to compare. */
export function trend(name, unit, values, low, high) {
  if (values.length < 2) return null;
  const times = values.map((one) => Date.parse(one.date));
  const all = [...values.map((one) => one.value), ...[low, high].filter((limit) => limit !== undefined)];
  const x = scale(Math.min(...times), Math.max(...times), EDGE, WIDTH - EDGE);
  const y = scale(Math.min(...all), Math.max(...all), HEIGHT - EDGE, EDGE);
  const points = values.map((one, at) => [x(times[at]), y(one.value)]);
  const said = values.map((one) => `${one.value} on ${day(one.date)}`).join(", ");
  const top = high === undefined ? 0 : y(high);
  const bottom = low === undefined ? HEIGHT : y(low);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "trend", role: "img",
    "aria-label": `${name} over time, ${unit}: ${said}.` },
  svg("rect", { class: "range", x: 0, y: top, width: WIDTH, height: Math.max(1, bottom - top) }),
  svg("polyline", { points: points.map((point) => point.join(",")).join(" ") }),
  ...points.map(([cx, cy], at) => svg("circle", { cx, cy, r: at === points.length - 1 ? 3.5 : 1.8,
    class: values[at].flag ? "outside" : "inside" })));
}

function scale(least, most, from, to) {
  const span = most - least || 1;
  return (value) => Math.round((from + ((value - least) / span) * (to - from)) * 10) / 10;
}
