/* The search page, in place of Sphinx's script: it reads the index of words that Sphinx writes (searchindex.js), the
   stemmer and the splitting of language_data.js, and the entries of entries.js (book/site/search.py).

A page's score is the sum over the words of the query of (how rare the word is) × (the best place where it stands: title,
entry, heading, text), and a bonus for the entry that the query matches best. Exercises, the glossary and other lists come
behind pages that teach. Pages with every word are listed; if none of them teaches, those with some. */

const WEIGHTS = { title: 7, typed: 6, taught: 5, heading: 4, text: 1 };
const KINDS = [
  [/^chapters\//, 1],
  [/^(which-optimizer|intro)/, 0.8],
  [/^exercises\/\d/, 0.45],
  [/./, 0.2],
];
const SUMMARIES = 8; // pages that are fetched to show where the words stand

const plain = (html) => html.replace(/<[^>]+>|^\d\.\d /g, "");

const Search = {
  setIndex(index) {
    Search.index = index;
    Search.ready?.();
  },

  /** The words of a text, stemmed; of a page's text also the parts of compounds. */
  stems(text, both = false) {
    const stemmer = new Stemmer();
    const words = both ? [...splitQuery(text), ...splitWords(text)] : splitQuery(text);
    const lower = words.map((word) => word.toLowerCase());
    const telling = lower.filter((word) => !stopwords.includes(word) && (word.length > 1 || /\d/.test(word)));
    return new Set((telling.length || both ? telling : lower).map((word) => stemmer.stemWord(word)));
  },

  /** What a page is found by: [{page, anchor, text, words, weight}]. */
  entries() {
    const { alltitles, docnames, titles, indexentries } = Search.index;
    const place = new Map(docnames.map((name, page) => [name, page]));
    const found = [];
    const add = (page, anchor, text, weight) =>
      page === undefined ||
      found.push({
        page,
        anchor,
        text,
        weight,
        own: [...Search.stems(plain(text))],
        words: Search.stems(plain(text), true),
      });
    titles.forEach((title, page) => add(page, "", title, WEIGHTS.title));
    for (const [text, places] of Object.entries(alltitles))
      for (const [page, id] of places) if (titles[page] !== text) add(page, id, text, WEIGHTS.heading);
    for (const [text, places] of Object.entries(indexentries))
      for (const [page, id] of places) add(page, id, text, WEIGHTS.taught);
    for (const [name, id, text] of ENTRIES) add(place.get(name), id, text, id ? WEIGHTS.taught : WEIGHTS.typed);
    return found;
  },

  /** Words of the index that a word may mean: itself, else those that begin with it, else those one letter away. */
  meant(word, known) {
    if (known.has(word)) return [word];
    const all = [...known.keys()];
    const longer = word.length > 2 ? all.filter((other) => other.startsWith(word)) : [];
    return longer.length || word.length < 5 ? longer : all.filter((other) => oneApart(word, other));
  },

  /** [{page, anchor, text, score}], best first. */
  rank(query) {
    const { docnames, terms, titleterms } = Search.index;
    Search.known ??= Search.entries();
    const places = new Map(); // word -> page -> weight
    const put = (word, page, weight) => {
      const pages = places.get(word) ?? places.set(word, new Map()).get(word);
      pages.set(page, Math.max(weight, pages.get(page) ?? 0));
    };
    for (const [table, weight] of [
      [terms, WEIGHTS.text],
      [titleterms, WEIGHTS.text],
    ])
      for (const [word, pages] of Object.entries(table)) for (const page of [pages].flat()) put(word, page, weight);
    for (const { page, words, weight } of Search.known) for (const word of words) put(word, page, weight);
    const rarity = (word) => Math.log(1 + docnames.length / (places.get(word)?.size ?? 1));

    const wanted = [...Search.stems(query)].map((word) => Search.meant(word, places));
    const asked = wanted.filter((words) => words.length);
    const total = asked.reduce((sum, words) => sum + Math.max(...words.map(rarity)), 0);
    const best = new Map(); // page -> the entry that the query matches best
    for (const entry of Search.known) {
      const met = asked.filter((words) => words.some((word) => entry.words.has(word)));
      if (!met.length) continue;
      const common = met.reduce(
        (sum, words) => sum + Math.max(...words.filter((word) => entry.words.has(word)).map(rarity)),
        0,
      );
      const own = entry.own.reduce((sum, word) => sum + rarity(word), 0);
      const match = Math.min(1, (common * common) / (own * total));
      const bonus = 2 * entry.weight * match * total;
      if (!(bonus <= best.get(entry.page)?.bonus)) best.set(entry.page, { ...entry, match, bonus });
    }
    const score = (page) => {
      const words = asked.map((words) =>
        Math.max(...words.map((word) => (places.get(word).get(page) ?? 0) * rarity(word))),
      );
      const [, kind] = KINDS.find(([pattern]) => pattern.test(docnames[page]));
      const sum = words.reduce((a, b) => a + b, best.get(page)?.bonus ?? 0);
      return { page, kind, met: words.filter(Boolean).length, score: kind * sum };
    };
    const scored = docnames.map((_, page) => score(page)).filter(({ met }) => met);
    const all = scored.filter(({ met }) => met === wanted.length);
    return (all.some(({ kind }) => kind > 0.5) ? all : scored)
      .sort((a, b) => b.score - a.score || a.page - b.page)
      .map((found) => ({ ...found, entry: best.get(found.page) }));
  },

  show(query) {
    const { docnames, titles } = Search.index;
    const out = document.getElementById("search-results");
    const found = Search.rank(query);
    const status = document.createElement("p");
    status.className = "search-summary";
    status.setAttribute("role", "status");
    const many = found.length === 1 ? "1 page" : `${found.length} pages`;
    status.textContent = found.length
      ? `${many} found for “${query}”.`
      : `Nothing found for “${query}”. Try one word of it, or look into the glossary or the concept index.`;
    const list = document.createElement("ol");
    list.className = "search";
    const words = Search.stems(query, true);
    found.forEach(({ page, score, entry }, at) => {
      const item = list.appendChild(document.createElement("li"));
      const link = item.appendChild(document.createElement("a"));
      const within = entry?.match > 0.3 && entry.anchor ? entry : undefined;
      link.href = `${docnames[page]}.html${within ? `#${within.anchor}` : ""}`;
      link.innerHTML = titles[page];
      link.dataset.score = score;
      if (within && within.weight === WEIGHTS.heading)
        item.append(
          Object.assign(document.createElement("span"), { className: "search-place", innerHTML: ` › ${within.text}` }),
        );
      if (at < SUMMARIES)
        fetch(`${docnames[page]}.html`)
          .then((response) => response.text())
          .then((text) => item.append(Search.summary(text, words, within?.anchor)))
          .catch(() => {}); // from a file there is no fetching; the links are there
    });
    out.replaceChildren(status, list);
    keep("sphinx_highlight_terms", splitWords(query.toLowerCase()).join(" "));
  },

  /** The words around the place where most of the query's stand. */
  summary(html, words, anchor) {
    const page = new DOMParser().parseFromString(html, "text/html");
    page
      .querySelectorAll(".headerlink, script, style, math, noscript, .cell_input")
      .forEach((element) => element.remove());
    const section = anchor && page.getElementById(anchor);
    const text = (section || page.querySelector("article"))?.textContent.replace(/\s+/g, " ") ?? "";
    const lower = text.toLowerCase();
    const near = (at) => [...words].filter((word) => lower.slice(at, at + 140).includes(word)).length;
    let [start, most] = [0, 0];
    for (const word of words)
      for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + 1))
        if (near(at) > most) [start, most] = [at, near(at)];
    start = start > 60 ? lower.indexOf(" ", start - 60) : 0;
    const line = document.createElement("p");
    line.className = "context";
    line.textContent = `${start ? "… " : ""}${text.slice(start, start + 200).trim()} …`;
    return line;
  },
};

const keep = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {} // blocked: the words are not marked on the page
};

/** Is one word the other with one letter changed, added, left out, or two exchanged? */
const oneApart = (a, b) => {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return left.length + right.length <= 2 && (left.length < 2 || right.length < 2)
    ? true
    : left.length === 2 && left === [...right].reverse().join("");
};

addEventListener("DOMContentLoaded", () => {
  const query = new URLSearchParams(location.search).get("q")?.trim();
  for (const input of document.querySelectorAll("input[name=q]")) input.value = query ?? "";
  if (!query) return;
  Search.ready = () => Search.show(query);
  if (Search.index) Search.ready();
});
