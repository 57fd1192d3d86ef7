// The pictures of the page. Each stands beside a word that says the same, so none has a text of its own.

import { svg } from "./dom.js";

const SHAPES = {
  info: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "M12 11v5.5M12 7.5v.1"],
  warning: ["M12 3.5 22 20.5H2Z", "M12 10v4.5M12 17.5v.1"],
  critical: ["M8 2.5h8l5.5 5.5v8L16 21.5H8L2.5 16V8Z", "M12 7v6M12 16.5v.1"],
  silent: ["M4 12a8 8 0 1 0 16 0 8 8 0 1 0-16 0", "M8.5 12h7"],
  low: ["M12 5v14M6 13l6 6 6-6"],
  high: ["M12 19V5M6 11l6-6 6 6"],
};

/** One picture by its name. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false" },
    ...SHAPES[name].map((path) => svg("path", { d: path })));
}
