/* What the reader has done, kept in this browser and nowhere else. On every page, before page.js: one global, `ocStore`.

An item has a kind and an id ("exercise", "gradient-descent/gd") and is a plain object; each lies under a key of its own,
`oc:KIND:ID`, with `at`, the time (ms) when it was last set. So two tabs disturb each other only in one and the same item,
where the later word counts.

ocStore.get(kind, id)          the item, or undefined
       .set(kind, id, fields)  changes these fields of it (undefined takes one away) and gives the item back; `at` is now,
                               unless it is among them
       .all(kind)              all items of a kind: {id: item}
       .erase(kind)            all of a kind, or without an argument everything
       .text()                 all items as the text of a file
       .read(text)             takes such a file in, item by item, where it is newer; gives how many were;
                               throws an Error with one sentence for anything else
       .heard(fn)              fn(kind, id, item or undefined) after a change by another tab, `read` or `erase`
       .lasts                  false where the browser keeps nothing: then all is forgotten with the page

Kinds: exercise {code, feedback, attempts, hints, looked, solved}; own {code, aside} of rule and landscape; guess
{guess, result, sure, seen, shown} (predict.js); those of progress.js. Whoever adds one names its fields here. */
globalThis.ocStore = (() => {
  const PREFIX = "oc:";
  const FORMAT = "Optimization for Deep Learning: what I have done";
  const memory = new Map(); // what could not be kept
  const listeners = [];
  let lasts = true;

  const storage = () => {
    try {
      return globalThis.localStorage; // throws where the reader has blocked it
    } catch {
      return null;
    }
  };
  const key = (kind, id) => `${PREFIX}${kind}:${id}`;
  const parts = (name) => /^oc:([a-z]+):(.+)$/s.exec(name)?.slice(1);
  const isItem = (value) => typeof value === "object" && value !== null && Number.isFinite(value.at);

  const item = (text) => {
    try {
      const value = JSON.parse(text);
      return isItem(value) ? value : undefined;
    } catch {
      return undefined; // not ours, or broken: as if it were not there
    }
  };
  const write = (name, value) => {
    const text = JSON.stringify(value);
    try {
      storage().setItem(name, text);
      memory.delete(name);
    } catch {
      memory.set(name, text); // blocked, or full
      lasts = false;
    }
  };
  const names = () =>
    [...new Set([...Object.keys(storage() ?? {}), ...memory.keys()])].filter(parts).filter((name) => read(name));
  const read = (name) => item(memory.get(name) ?? storage()?.getItem(name));
  const tell = (name) => listeners.forEach((fn) => fn(...parts(name), read(name)));

  addEventListener("storage", ({ key: name }) => {
    if (name && parts(name)) tell(name);
  });

  try {
    storage().setItem(PREFIX, "");
    storage().removeItem(PREFIX);
  } catch {
    lasts = false;
  }

  return {
    get lasts() {
      return lasts;
    },
    get: (kind, id) => read(key(kind, id)),
    set(kind, id, fields) {
      const value = { ...read(key(kind, id)), at: Date.now(), ...fields };
      write(key(kind, id), value);
      return read(key(kind, id));
    },
    all: (kind) =>
      Object.fromEntries(
        names()
          .filter((name) => parts(name)[0] === kind)
          .map((name) => [parts(name)[1], read(name)]),
      ),
    erase(kind) {
      for (const name of names().filter((name) => !kind || parts(name)[0] === kind)) {
        memory.delete(name);
        storage()?.removeItem(name);
        tell(name);
      }
    },
    text: () =>
      JSON.stringify({ format: FORMAT, items: Object.fromEntries(names().map((n) => [n, read(n)])) }, null, 1),
    read(text) {
      let file;
      try {
        file = JSON.parse(text);
      } catch {}
      if (file?.format !== FORMAT || typeof file.items !== "object")
        throw new Error(
          "This file does not hold what a reader has done here: choose one that was saved by this course.",
        );
      const newer = Object.entries(file.items ?? {}).filter(
        ([name, value]) => parts(name) && isItem(value) && value.at > (read(name)?.at ?? 0),
      );
      for (const [name, value] of newer) {
        write(name, { ...value, at: Math.min(value.at, Date.now()) }); // a clock that is ahead wins only once
        tell(name);
      }
      return newer.length;
    },
    heard: (fn) => listeners.push(fn),
  };
})();
