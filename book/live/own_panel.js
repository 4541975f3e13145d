/* A rule and a landscape of the reader's own in an explorer: two editors above it, one shown at a time.

panel(widget, button) → { open({ rule, landscape }), close() }; the texts that open brings came with a link.

What the reader writes is kept by store.js: kind "own", id "rule" or "landscape", {code: unless it is the example, aside:
what "Start again" or a link took away}, for all explorers. own.py makes the explorer's new state of it. */
import { edit } from "./editor.js";
import "./look.js";
import { STOPPED, start } from "./python.js";

const KINDS = {
  rule: {
    name: "a rule",
    act: "Add to the race",
    label: "Your rule",
    how:
      "`g` is the gradient. What has a value before the star, as `m=0.0`, is kept from step to step; what stands after " +
      "it, as `beta=0.9`, gets a slider. Return the direction `d`, then what is kept. " +
      "`w`, `t` (the step, from 1) and `lr` can be asked for after the star.",
    example: `def my_rule(g, m=0.0, *, beta=0.9):
    m = beta*m + (1 - beta)*g
    d = np.sign(m)
    return d, m  # each step is w = w - lr*d`,
  },
  landscape: {
    name: "a landscape",
    act: "Draw it",
    label: "Your landscape",
    how:
      "Return the height at the point `x, y`; its gradient is derived from your formula. `domain` is what is drawn; what " +
      "stands after the star, as `k=4.0`, gets a slider.",
    example: `domain = (-3, 3), (-2, 2)

def my_landscape(x, y, *, k=4.0):
    return x**2 + k*y**2 + np.sin(3*x)`,
  },
};
const { h } = ocPage;

const list = (names) => [names.slice(0, -1).join(", "), names.at(-1)].filter(Boolean).join(" and ");
const be = (names) => (names.length > 1 ? "are" : "is");

/* The keys of a link, see own.js. */
const link = (sources) =>
  Object.entries(sources)
    .map(([kind, code]) => `&my-${kind}=${encodeURIComponent(code)}`)
    .join("");

export function panel(widget, button) {
  const stored = widget.querySelector("script[type='application/json']").textContent;
  let shown = {}; // kind → code that is in the widget
  const brought = {}; // kind → code that came with a link and has not been changed
  let python, running, stopped;

  const item = (kind) => ocStore.get("own", kind) ?? {};
  const code = (kind) => brought[kind] ?? item(kind).code ?? KINDS[kind].example;
  const keep = (kind, text) => {
    const aside = brought[kind] === undefined ? {} : { aside: item(kind).code };
    delete brought[kind];
    ocStore.set("own", kind, { code: text === KINDS[kind].example ? undefined : text, ...aside });
    show();
  };

  // ---- what one sees ------------------------------------------------------------------------------------------------
  const press = (text, act) => ocPage.button(text, () => act().catch(trouble));
  const name = `${widget.id}-own`;
  const radios = Object.entries(KINDS).map(([value]) =>
    h("input", { type: "radio", name, value, onchange: () => turn(value) }),
  );
  const choice = h("fieldset", {}, h("legend", { textContent: "You write" }));
  Object.values(KINDS).forEach(({ name }, k) => choice.append(h("label", {}, radios[k], name)));
  const how = h("p");
  const hosts = h("div");
  const act = press("", async () => {
    if (!running) return race(now, code(now));
    stopped = true;
    await python?.stop();
  });
  const out = press("Take it out", () => race(now));
  const again = press("", async () => restart());
  const said = h("p", { className: "oc-own-said", role: "status" });
  const wait = h("p", { className: "oc-wait" }); // not read out: it changes ten times a second
  const close = press("Close", async () => hide());
  const bar = h("div", { className: "oc-bar" }, act, out, again, close);
  const box = h("section", { className: "oc-own", hidden: true }, choice, how, hosts, bar, wait, said);
  box.id = name;
  box.setAttribute("aria-label", "Your own rule");
  button.setAttribute("aria-controls", name);
  widget.before(box);

  const editors = {};
  let now;
  const turn = (kind) => {
    now = kind;
    radios.forEach((radio) => (radio.checked = radio.value === kind));
    how.replaceChildren(...ocPage.words(KINDS[kind].how));
    if (!editors[kind]) {
      const host = hosts.appendChild(h("div"));
      const options = {
        label: KINDS[kind].label,
        changed: (text) => keep(kind, text),
        run: () => running || act.click(),
      };
      editors[kind] = Object.assign(edit(host, { code: code(kind), ...options }), { host });
    }
    for (const [each, { host }] of Object.entries(editors)) host.hidden = each !== kind;
    say("");
    show();
  };
  const show = () => {
    for (const [kind, editor] of Object.entries(editors)) editor.code = code(kind);
    const { code: own, aside } = item(now);
    const back = brought[now] === undefined ? aside !== undefined && own === undefined : own !== undefined;
    act.textContent = running ? "Stop" : KINDS[now].act;
    out.hidden = shown[now] === undefined;
    again.textContent = back ? "Bring back mine" : "Start again";
    again.hidden = code(now) === KINDS[now].example && !back;
  };
  const say = (text) => said.replaceChildren(...ocPage.words(text));
  const trouble = ({ message }) => say(message);
  ocStore.heard((kind) => kind === "own" && now && show());

  // ---- what one does ------------------------------------------------------------------------------------------------
  const restart = () => {
    const { code: own, aside } = item(now);
    if (brought[now] !== undefined) delete brought[now];
    else
      ocStore.set("own", now, own === undefined ? { code: aside, aside: undefined } : { code: undefined, aside: own });
    say("");
    show();
    editors[now].focus();
  };

  /* Shows the explorer with this code of a kind, or without any. */
  const race = async (kind, text) => {
    const sources = { ...shown, [kind]: text };
    if (text === undefined) delete sources[kind];
    running = true;
    stopped = false;
    show();
    say(python ? "" : "Python is starting: this takes some seconds, once.");
    try {
      const onProgress = (words) => (wait.textContent = words);
      let answer = { state: JSON.parse(stored), joined: [], rests: [] };
      if (Object.keys(sources).length) {
        python ??= await start({ onProgress });
        if (stopped) throw new Error(STOPPED); // while Python was starting
        answer = await python.ask("book.live.own.said", [answer.state, sources], { onProgress });
      }
      if (answer.text) {
        turn(answer.kind);
        editors[answer.kind].mark(answer.line ?? null);
        return say(answer.text);
      }
      editors[kind].mark(null);
      shown = sources;
      oc.mount(widget, undefined, { ...answer.state, link: link(shown) });
      for (const group of widget.querySelectorAll(":scope > .oc-group"))
        if (group.querySelector("input")) group.open = true; // the new sliders are among those behind "More"
      const { joined, rests } = answer;
      const done = {
        rule: `${list(joined)} ${be(joined)} in the race below.`,
        landscape: "It is drawn below, and they race on it.",
      };
      const rest = rests.length && ` ${list(rests)} ${be(rests)} left out: made for the landscape of this page.`;
      say((text === undefined ? "It is taken out." : done[kind]) + (rest || ""));
      widget.querySelector(".oc-plot")?.scrollIntoView({ block: "nearest" });
    } finally {
      running = false;
      wait.textContent = "";
      show();
    }
  };

  const hide = () => {
    box.hidden = true;
    button.ariaExpanded = "false";
    button.textContent = "Add your own rule";
    button.focus();
  };

  return {
    open(texts = {}) {
      const linked = Object.keys(KINDS).filter((kind) => texts[kind] !== undefined);
      for (const kind of linked) brought[kind] = texts[kind];
      box.hidden = false;
      button.ariaExpanded = "true";
      button.textContent = "Close your own rule";
      turn(linked[0] ?? now ?? "rule");
      box.scrollIntoView({ block: "nearest" });
      if (!linked.length) return editors[now].focus();
      say(`This came with the link, and nothing of it has run: read it, then press “${KINDS[now].act}”.`);
    },
    close: hide,
  };
}
