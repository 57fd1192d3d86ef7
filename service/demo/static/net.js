// The one place that asks this server. How many answers are awaited stands on the page, as data-asking.

const root = document.documentElement;
let waiting = 0;

/** The response to a request. Rejects where there is none. */
export async function asked(path, options) {
  count(1);
  try {
    const response = await fetch(path, options);
    const text = await response.text();
    return { status: response.status, json: () => JSON.parse(text) };
  } finally {
    count(-1);
  }
}

/** The JSON of an answer. */
export async function json(path, options) {
  return (await asked(path, options)).json();
}

function count(step) {
  waiting += step;
  root.dataset.asking = String(waiting);
}
