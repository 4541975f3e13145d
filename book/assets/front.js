/* The front page's race: it runs once by itself, says where to take hold, shows two controls and keeps the rest behind
   "More", and notices when its challenge is met. */
{
  const store = globalThis.ocStore;
  const race = document.querySelector("[data-oc=explore]");
  const challenge = document.getElementById("challenge");
  const ended = /\bgd: [^;]*?loss ([\d.e−+-]+).*\badam: [^;]*?loss ([\d.e−+-]+)/;
  const value = (text) => Number(text.replaceAll("−", "-").replace(/\.$/, ""));

  const met = (words) => {
    challenge.textContent = words;
    challenge.classList.add("met");
  };
  const start = () => {
    const controls = race.querySelector(".oc-controls");
    const player = controls.querySelector(".oc-player");
    const rate = [...controls.children].find((control) => control.textContent.startsWith("Learning rate η, gd"));
    const more = document.createElement("details");
    more.className = "oc-group";
    more.innerHTML = '<summary>More</summary><div class="oc-controls"></div>';
    const rest = [...controls.children, ...race.querySelectorAll(":scope > .oc-group")];
    more.lastChild.append(...rest.filter((part) => part !== player && part !== rate));
    controls.after(more);

    const handle = race.querySelector(".oc-handle");
    const touched = () => race.classList.add("touched");
    handle?.addEventListener("pointerdown", touched);
    handle?.addEventListener("keydown", (event) => event.key.startsWith("Arrow") && touched());

    const slider = player.querySelector("input[type=range]");
    const status = race.querySelector(".oc-status");
    const look = () => {
      const [, gd, adam] = ended.exec(status.textContent) ?? [];
      if (!gd || Number(slider.value) < Number(slider.max) || !(value(gd) < value(adam))) return;
      met(
        `Met: gradient descent ends at a loss of ${gd}, Adam at ${adam}. Why such a rate works, and a larger one not, is 3.1.`,
      );
      if (!store.get("challenge", "front")) store.set("challenge", "front", { met: true });
    };
    new MutationObserver(look).observe(status, { childList: true, characterData: true, subtree: true });

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
    if (store.get("challenge", "front")?.met) challenge.classList.add("met");
  }
}
