/* The front page's race: it runs once by itself, says where to take hold, and shows two controls, the rest behind "More". */
{
  const race = document.querySelector("[data-oc=explore]");
  const start = () => {
    const controls = race.querySelector(".oc-controls");
    const player = controls.querySelector(".oc-player");
    const rate = [...controls.children].find((control) => control.textContent.startsWith("Learning rate η, gd"));
    const [more, ...groups] = race.querySelectorAll(":scope > .oc-group"); // the first is "More"
    more.lastChild.prepend(...[...controls.children].filter((part) => part !== player && part !== rate));
    more.append(...groups);

    const handle = race.querySelector(".oc-handle");
    const touched = () => race.classList.add("touched");
    handle?.addEventListener("pointerdown", touched);
    handle?.addEventListener("keydown", (event) => event.key.startsWith("Arrow") && touched());

    const still = matchMedia("(prefers-reduced-motion: reduce)").matches || location.hash || scrollY > 200;
    if (!still) player.querySelector("button").click();
  };
  if (race) {
    race.classList.add("front-race");
    if (race.dataset.ocReady) start();
    else
      new MutationObserver((_, watch) => {
        watch.disconnect();
        start();
      }).observe(race, { attributeFilter: ["data-oc-ready"] });
  }
}
