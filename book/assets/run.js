/* On pages with cells: Run and Edit beside each, seen when one points at it or comes to it with Tab. What they do is
   loaded when the first of them is used (book/live/cells.js), and Python with it. */
{
  const cells = [...document.querySelectorAll("div.cell")].filter((cell) => cell.querySelector(".cell_input pre"));
  const folder = new URL(`${document.documentElement.dataset.content_root}_static/live/`, location);
  let live;
  const load = () =>
    (live ??= import(`${folder}cells.js`).then(({ page }) => page(cells))).catch((error) => {
      live = undefined;
      throw location.protocol === "file:"
        ? "Pages opened as files cannot run Python: type “make serve” in the course's folder and open the address it names."
        : `What runs Python could not be loaded; look at the connection, then try again. (${error.message})`;
    });

  const button = (bar, name, label, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: name });
    made.setAttribute("aria-label", label);
    made.addEventListener("click", () =>
      load().then(act, (said) => {
        const note = bar.querySelector("[role=alert]") ?? bar.appendChild(document.createElement("span"));
        note.role = "alert";
        note.textContent = said;
      }),
    );
    bar.append(made);
  };
  cells.forEach((cell, at) => {
    const bar = document.createElement("div");
    bar.className = "oc-cell-bar";
    button(bar, "Run", `Run cell ${at + 1}`, (it) => it.run(at));
    button(bar, "Edit", `Edit cell ${at + 1}`, (it) => it.edit(at));
    if (at === cells.findIndex((one) => !one.matches(".tag_setup")))
      button(bar, "Run all", "Run all cells", (it) => it.runAll());
    cell.querySelector(".cell_input").append(bar);
  });
}
