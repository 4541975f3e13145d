/* Python for a page: one for all of it, started when it is first asked for.

start({ onProgress })        → python, a promise; `onProgress(words)` is called while files arrive and Python starts.
                             Fails with an Error whose message is one sentence for the reader; may be called again.
python.run(code, { name, onOutput })
                             → {outputs, error, stopped}; name: what errors call the cell, one for each cell.
                             An output is {stream: text} or {data: {mime type: content}}, as in a notebook; `onOutput` is
                             called with each when it comes. error: {kind, line, text} or undefined. One after the other.
python.ask(name, what, { onOutput })
                             → what the function of that full name says of `what`, both as JSON; or an Error with a sentence
python.stop()                ends what runs or waits to run, which gets {stopped: true}, and all that Python knew, and starts
                             Python afresh; → a promise of the new start
python.session               a number that rises with each fresh start: what cells defined before is gone
python.busy                  whether something runs

The files are kept by the browser (Cache API), so that they are loaded once. They travel to the worker as Blobs, which
are not copied. */
import FILES from "./files.js";

const BASE = new URL("./", import.meta.url).href;
const FIRST = Object.keys(FILES).filter((name) => name !== "figures.zip");
const FIGURES = /\b(matplotlib|plt|plotting|PIL)\b/; // then Python will ask for them
const KEPT = "optcore-live";
const blobs = {};
export const STOPPED = "Stopped. What you wrote is kept.";
const quiet = () => {};

const mega = (bytes) => (bytes / 1e6).toFixed(1);

/* Where files are kept, or undefined: in private windows, over plain http, where the reader has blocked it. */
async function kept() {
  try {
    return await caches.open(KEPT);
  } catch {}
}

async function download(name, arrived) {
  const { size, sent, digest } = FILES[name];
  const url = `${BASE}${name}?${digest}`;
  const cache = await kept();
  const old = await cache?.match(url).catch(quiet);
  const parts = [];
  let got = 0;
  try {
    const response = old ?? (await fetch(url));
    if (!response.ok) throw new Error(response.status);
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      got += value.length;
      arrived((value.length / size) * sent);
    }
    if (got !== size) throw new Error(`${got} bytes`);
  } catch (error) {
    await cache?.delete(url).catch(quiet);
    console.warn(name, error);
    throw new Error(`${name}, a part of Python, could not be loaded; look at the connection, then try again.`);
  }
  blobs[name] = new Blob(parts);
  if (!old) await cache?.put(url, new Response(blobs[name])).catch(quiet); // full: then it is loaded again next time
}

async function tidy() {
  const cache = await kept();
  const current = new Set(Object.entries(FILES).map(([name, { digest }]) => `${BASE}${name}?${digest}`));
  for (const { url } of (await cache?.keys()) ?? [])
    if (url.startsWith(BASE) && !current.has(url)) await cache.delete(url);
}

/* Loads what is missing of these files, and says how much of it there is. */
async function get(names, onProgress) {
  const missing = names.filter((name) => !blobs[name]);
  const all = missing.reduce((sum, name) => sum + FILES[name].sent, 0);
  let here = 0;
  let failed = false; // then what still arrives is kept, and says nothing more
  const arrived = (bytes) => {
    here += bytes;
    if (!failed) onProgress(`Loading Python: ${mega(Math.min(here, all))} of ${mega(all)} MB …`);
  };
  try {
    await Promise.all(missing.map((name) => download(name, arrived)));
  } catch (error) {
    failed = true;
    throw error;
  }
}

function checkPlace() {
  if (location.protocol === "file:")
    throw new Error(
      "Pages opened as files cannot run Python: type “make serve” in the course's folder and open the address it names.",
    );
  if (typeof Worker !== "function" || typeof WebAssembly !== "object" || typeof Array.prototype.at !== "function")
    throw new Error("This browser is too old to run Python; a current Firefox, Chrome, Edge or Safari can.");
}

const reason = (text) =>
  /memory/i.test(text)
    ? "There is not enough memory to run Python here; close other tabs, then try again."
    : `Python could not start in this browser: ${text.split("\n").filter(Boolean).at(-1)}`;

/* A worker with Python in it, or an Error with a sentence. */
function begin(onProgress) {
  onProgress("Starting Python …");
  return new Promise((ready, failed) => {
    const script = URL.createObjectURL(new Blob([blobs["worker.js"]], { type: "text/javascript" }));
    const worker = new Worker(script, { type: "module" });
    const fail = (text) => (worker.terminate(), failed(new Error(reason(text))));
    worker.onerror = (event) => fail(event.message ?? "its worker does not start.");
    worker.onmessage = ({ data }) => {
      if (data.failed !== undefined) fail(data.failed);
      if (!data.ready) return;
      worker.onmessage = worker.onerror = null;
      ready(worker);
    };
    worker.postMessage({ start: Object.fromEntries(FIRST.map((name) => [name, blobs[name]])), base: BASE });
  });
}

class Python {
  session = 0;
  #worker;
  #starting;
  #jobs = new Map();
  #last = 0;
  #queue = Promise.resolve();

  get busy() {
    return this.#jobs.size > 0;
  }

  begin(onProgress = quiet) {
    this.session++; // at once: what the last one knew is gone before the next one is there
    this.#starting = begin(onProgress).then((worker) => {
      worker.onmessage = ({ data }) => this.#take(data);
      worker.onerror = ({ message }) => {
        this.#end({ error: { kind: "fatal", line: null, text: message } });
        this.stop();
      };
      this.#worker = worker;
      return this;
    });
    return this.#starting;
  }
  #take({ run, output, done, loading }) {
    const job = this.#jobs.get(run);
    if (loading) for (const { onProgress } of this.#jobs.values()) onProgress("Loading Matplotlib …");
    if (!job) return;
    if (output) {
      job.outputs.push(output);
      job.onOutput(output);
    }
    if (!done) return;
    this.#jobs.delete(run);
    job.resolve({ outputs: job.outputs, ...done });
    if (done.error?.kind === "fatal") this.stop();
  }
  #end(result) {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const { resolve, outputs } of jobs) resolve({ outputs, ...result });
  }

  run(code, { name = "cell", onOutput = quiet, onProgress = quiet } = {}) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#jobs.set(id, { resolve, onOutput, onProgress, outputs: [] });
      this.#queue = this.#queue.then(async () => {
        try {
          await this.#starting;
          if (FIGURES.test(code)) await get(["figures.zip"], onProgress);
        } catch (error) {
          this.#jobs.delete(id);
          return reject(error);
        }
        if (this.#jobs.has(id)) this.#worker.postMessage({ run: id, code, name, figures: blobs["figures.zip"] });
      });
    });
  }

  async ask(name, what, options) {
    const [, module, fn] = /(.*)\.(.*)/.exec(name);
    const text = JSON.stringify(JSON.stringify(what)); // Python reads such a string too
    const code = `__import__("importlib").import_module("${module}").${fn}(${text})`;
    const { outputs, error, stopped } = await this.run(code, { ...options, name: fn });
    if (stopped) throw new Error(STOPPED);
    if (error) throw new Error(error.text);
    return JSON.parse(outputs.at(-1).data["text/plain"]);
  }

  stop() {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.terminate();
    this.#end({ stopped: true });
    return worker ? this.begin() : this.#starting; // what is starting already need not start twice
  }
}

let only;

export function start({ onProgress = quiet } = {}) {
  only ??= (async () => {
    checkPlace();
    await get(FIRST, onProgress);
    const python = await new Python().begin(onProgress);
    tidy();
    return python;
  })();
  only.catch(() => (only = undefined));
  return only;
}
