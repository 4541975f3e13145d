/* The front page's race: it runs once by itself, says where to take hold, names the colours, and shows two controls, the
   rest behind "More". */
{
  const race = document.querySelector("[data-oc=explore]");
  let begun = false; // it is shown again with each rule of the reader's
  const start = () => {
    const controls = race.querySelector(".oc-controls");
    const player = controls.querySelector(".oc-player");
    const rate = [...controls.children].find((control) => control.textContent.startsWith("Learning rate η, gd"));
    const [more, ...groups] = race.querySelectorAll(":scope > .oc-group"); // the first is "More"
    more.lastChild.prepend(...[...controls.children].filter((part) => part !== player && part !== rate));
    more.append(...groups);
    const legend = ocPage.h("p", { className: "front-legend" });
    for (const swatch of more.querySelectorAll(".oc-swatch")) {
      const copy = swatch.cloneNode(true);
      legend.append(
        ocPage.h("span", {}, copy, `\u202f${swatch.parentNode.textContent.slice(copy.textContent.length)}`),
      );
      const colour = () => (copy.style.color = swatch.style.color); // the widget sets it, for each theme
      new MutationObserver(colour).observe(swatch, { attributeFilter: ["style"] });
      colour();
    }
    controls.prepend(rate, legend);

    const handle = race.querySelector(".oc-handle");
    const touched = () => race.classList.add("touched");
    handle?.addEventListener("pointerdown", touched);
    handle?.addEventListener("keydown", (event) => event.key.startsWith("Arrow") && touched());

    const still = matchMedia("(prefers-reduced-motion: reduce)").matches || location.hash || scrollY > 200;
    if (!still && !begun) player.querySelector("button").click();
    begun = true;
  };
  if (race) {
    race.classList.add("front-race");
    if (race.dataset.ocReady) start();
    new MutationObserver(start).observe(race, { attributeFilter: ["data-oc-ready"] });
  }
}
