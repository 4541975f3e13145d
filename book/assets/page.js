/* On every page. Work on what is far down waits until the reader comes near; all of it is done before a key press or a
   click takes effect, so that Tab and links find everything in its place, and before printing.

One global, `ocPage`, for the scripts that make more of some pages:
.h(tag, props, ...children)  an element with these properties, or attributes where it has no such property
.button(text, onclick, more) a button with the look of the exercises', and further properties
.save(file, text)            hands the reader a file of this name
.words(text)                 the text as nodes, with code where it stands between backticks
.load(name, read)            a module below _static/live, or what `read` makes of the answer; where that fails, an Error whose
                             message is one sentence for the reader */
globalThis.ocPage = {
  h(tag, props = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(props))
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    made.append(...children);
    return made;
  },
  button(textContent, onclick, more) {
    return this.h("button", { type: "button", className: "oc-button", textContent, onclick, ...more });
  },
  save(file, text) {
    const link = this.h("a", { href: URL.createObjectURL(new Blob([text])), download: file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  },
  words(text) {
    return text.split(/`([^`]+)`/).map((part, k) => (k % 2 ? this.h("code", { textContent: part }) : part));
  },
  async load(name, read) {
    const address = new URL(`${document.documentElement.dataset.content_root}_static/live/${name}`, location);
    try {
      return await (read ? fetch(address).then(read) : import(address));
    } catch (error) {
      console.warn(name, error);
      throw new Error(
        location.protocol === "file:"
          ? "Pages opened as files cannot do this: type “make serve” in the course's folder and open the address it names."
          : "A part of this page could not be loaded: look at the connection, then try again.",
      );
    }
  },
};
{
  const widgets = [...document.querySelectorAll("[data-oc]")];
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        setTimeout(() => oc.mount(target)); // one task each, so that the page stays responsive
      }
    },
    { rootMargin: "400px 0px" },
  );
  widgets.forEach((el) => near.observe(el));

  // The widget that the address names, with its settings.
  const mountNamed = () => {
    const [id] = location.hash.slice(1).split("&");
    widgets.filter((el) => el.id === id).forEach((el) => oc.mount(el));
  };
  addEventListener("hashchange", mountNamed);
  mountNamed();

  // A phrase that sets the widget beside it, <span data-set="lr=0.11">with η = 0.11</span>, stays text, which breaks over
  // lines and is printed, and acts as a button: it goes to the address that "Copy link" would give. The widget is the next
  // of its section, else the one before; it says what it did.
  const instruments = widgets.filter((el) => el.dataset.oc !== "quiz");
  for (const phrase of document.querySelectorAll(".bd-article [data-set]")) {
    const lies = (way) => (el) => phrase.compareDocumentPosition(el) & way,
      next = instruments.find(lies(Node.DOCUMENT_POSITION_FOLLOWING)),
      last = instruments.findLast(lies(Node.DOCUMENT_POSITION_PRECEDING)),
      target = next && phrase.closest("section").contains(next) ? next : (last ?? next);
    if (!target) continue;
    const act = () => {
      history.replaceState(null, "", `#${target.id}&${phrase.dataset.set}`);
      dispatchEvent(new HashChangeEvent("hashchange"));
    };
    Object.assign(phrase, { role: "button", tabIndex: 0, className: "sets", title: "Sets the instrument so" });
    phrase.addEventListener("click", act);
    phrase.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      act();
    });
  }

  // What scrolls by itself can be reached with Tab. (The theme measures all of the page when it has loaded.)
  const scrollers = document.querySelectorAll(
    "pre, .cell_output, .cell_output > .output, .pst-scrollable-table-container, div.math",
  );
  const setTab = (el) => {
    const scrolls = el.scrollWidth > el.clientWidth || el.scrollHeight > el.clientHeight;
    if (scrolls && !el.hidden) el.tabIndex = 0;
    else el.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => setTab(target)));
  scrollers.forEach((el) => sizes.observe(el));

  // Sections that book.css leaves for later are laid out one by one from the reader's first move on, or two seconds after
  // the page is there (what reads it aloud or measures it never moves); all before a click.
  const sections = [...document.querySelectorAll(".bd-article > section > section")];
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50));
  const layNext = () => {
    const section = sections.shift();
    if (!section) return;
    section.style.contentVisibility = "visible";
    idle(layNext);
  };
  const layAll = () => sections.splice(0).forEach((section) => (section.style.contentVisibility = "visible"));
  for (const sign of ["pointermove", "touchstart", "wheel", "scroll"])
    addEventListener(sign, () => idle(layNext), { once: true, passive: true });
  addEventListener("load", () => setTimeout(idle, 2000, layNext));
  addEventListener("click", layAll, { once: true, capture: true }); // not before: what moves under a press loses its click
  addEventListener("hashchange", () => {
    layAll();
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  });

  const all = () => {
    layAll();
    widgets.forEach((el) => oc.mount(el));
    scrollers.forEach(setTab);
  };
  addEventListener("keydown", all, { once: true, capture: true }); // widgets keep most keys to themselves

  // Menus in the head of the page.
  for (const button of document.querySelectorAll("[data-bs-toggle=dropdown]")) {
    const menu = button.nextElementSibling;
    const show = (on) => {
      menu.classList.toggle("show", on);
      button.setAttribute("aria-expanded", on);
    };
    button.addEventListener("click", () => show(!menu.classList.contains("show")));
    button.parentElement.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      show(false);
      button.focus();
    });
    button.parentElement.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !button.parentElement.contains(event.relatedTarget)) show(false);
    });
    addEventListener("click", (event) => button.parentElement.contains(event.target) || show(false));
  }

  // In the list of headings, the section that is being read.
  const entries = new Map(
    [...document.querySelectorAll("#pst-page-toc-nav a[href^='#']")].map((link) => [link.hash.slice(1), link]),
  );
  const shown = new Set();
  const spy = new IntersectionObserver(
    (changes) => {
      for (const { isIntersecting, target } of changes) shown[isIntersecting ? "add" : "delete"](target.id);
      const now = [...entries.keys()].filter((id) => shown.has(id)).at(-1);
      if (now) for (const [id, link] of entries) link.classList.toggle("active", id === now);
    },
    { rootMargin: "-10% 0px -60%" },
  );
  for (const id of entries.keys()) {
    const section = document.getElementById(decodeURIComponent(id));
    if (section) spy.observe(section);
  }

  // On paper: light, and quizzes as the list of questions that they show where scripts are off.
  const root = document.documentElement;
  let theme;
  addEventListener("beforeprint", () => {
    all();
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    for (const quiz of document.querySelectorAll("[data-oc=quiz]:not(:has(> .oc-paper))")) {
      const paper = document.createElement("div");
      paper.className = "oc-paper";
      paper.innerHTML = quiz.querySelector("noscript").textContent;
      quiz.append(paper);
    }
  });
  addEventListener("afterprint", () => (root.dataset.theme = theme));
}
