/* On pages with cells: Run and Edit beside each, seen when one points at it or comes to it with Tab. What they do is
   loaded when the first of them is used (book/live/cells.js), and Python with it. */
{
  const { h } = ocPage;
  const cells = [...document.querySelectorAll("div.cell")].filter((cell) => cell.querySelector(".cell_input pre"));
  let live;
  const load = () =>
    (live ??= ocPage.load("cells.js").then(({ page }) => page(cells))).catch((error) => {
      live = undefined;
      throw error;
    });

  const button = (bar, textContent, label, act) => {
    const say = ({ message }) => {
      const note = bar.querySelector("[role=alert]") ?? bar.appendChild(h("span", { role: "alert" }));
      note.textContent = message;
    };
    const onclick = () => load().then(act, say);
    bar.append(h("button", { type: "button", textContent, onclick, "aria-label": label }));
  };
  cells.forEach((cell, at) => {
    const bar = h("div", { className: "oc-cell-bar" });
    button(bar, "Run", `Run cell ${at + 1}`, (it) => it.run(at));
    button(bar, "Edit", `Edit cell ${at + 1}`, (it) => it.edit(at));
    if (at === cells.findIndex((one) => !one.matches(".tag_setup")))
      button(bar, "Run all", "Run all cells", (it) => it.runAll());
    cell.querySelector(".cell_input").append(bar);
  });
}
