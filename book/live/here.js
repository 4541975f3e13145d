/* At the end of a chapter's page: its exercises, opened in place. They come from their own page when asked for. */
{
  const base = new URL("./", document.currentScript.src);
  const link = document.querySelector('.bd-article section section a[href*="/exercises/"]');
  const open = async (button, place) => {
    const answer = await fetch(link.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const here = location.pathname.split("/").at(-1);
    const lesson = page.querySelector(`h2 a[href$="/${here}"]`).closest("section");
    for (const one of lesson.querySelectorAll("[href], [src]"))
      for (const name of ["href", "src"])
        if (one.hasAttribute(name)) one.setAttribute(name, new URL(one.getAttribute(name), link.href).href);
    lesson.querySelectorAll("[id]").forEach((one) => (one.id = `exercise-${one.id}`));
    if (!globalThis.ocExercises)
      await new Promise((onload, onerror) =>
        document.head.append(ocPage.h("script", { src: new URL("exercises.js", base), onload, onerror })),
      );
    place.replaceChildren(...lesson.querySelectorAll(":scope > section"));
    ocExercises(place, link.href);
    button.remove();
    for (const one of place.querySelectorAll("pre, div.math")) if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
    const first = place.querySelector("h3");
    first.tabIndex = -1;
    first.focus();
  };
  if (link) {
    const place = ocPage.h("div", { className: "oc-here" });
    const trouble = () => button.after(" They could not be loaded; follow the link.");
    const button = ocPage.button("Do the exercises here", () => open(button, place).catch(trouble));
    place.append(button);
    link.closest("section").append(place);
  }
}
