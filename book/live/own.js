/* Below each explorer: Add your own rule. What the button opens is loaded then (own_panel.js), and Python when the reader
   lets the rule race. A link may bring a rule or a landscape, as &my-rule=… and &my-landscape=… behind the settings of the
   widget: it is put into the editor, where nothing of it runs before the reader asks.

ocOwn(widget)  puts the button there */
{
  const { h } = ocPage;

  /** What the address brings for a widget: the source of a rule, of a landscape. */
  const brought = ({ id }) => {
    const [name, ...rest] = location.hash.slice(1).split("&");
    const link = new URLSearchParams(name === id ? rest.join("&") : "");
    return { rule: link.get("my-rule") ?? undefined, landscape: link.get("my-landscape") ?? undefined };
  };

  globalThis.ocOwn = (widget) => {
    if (widget.nextElementSibling?.matches(".oc-own-bar")) return;
    const said = h("span", { role: "status" });
    let panel;
    const open = async (texts) => {
      try {
        panel ??= ocPage.load("own_panel.js").then((part) => part.panel(widget, button));
        (await panel).open(texts);
        said.replaceChildren();
      } catch (error) {
        panel = undefined;
        said.replaceChildren(...ocPage.words(error.message));
      }
    };
    const toggle = async () => (button.ariaExpanded === "true" ? (await panel).close() : open());
    const button = ocPage.button("Add your own rule", toggle, { ariaExpanded: "false" });
    widget.after(h("div", { className: "oc-own-bar" }, button, said));

    const follow = () => {
      const texts = brought(widget);
      if (texts.rule || texts.landscape) open(texts);
    };
    addEventListener("hashchange", follow);
    follow();
  };
  document.querySelectorAll("[data-oc=explore]").forEach(ocOwn);
}
