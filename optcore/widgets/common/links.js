/* The address that restores what a widget shows. Methods of UI. */
import { alike, inWords, plain, revive } from "./numbers.js";

export const links = {
  linkButton() {
    const link = this.button(
      "Copy link",
      async () => {
        const changed = Object.keys(this.value).filter((k) => !alike(this.value[k], this.first[k]));
        const query = new URLSearchParams(changed.map((k) => [k, JSON.stringify(plain(this.value[k]))]));
        history.replaceState(null, "", `#${this.el.id}${changed.length ? "&" : ""}${query}${this.model.link ?? ""}`);
        try {
          await navigator.clipboard.writeText(location.href);
          link.textContent = "Link copied";
        } catch {
          link.textContent = "Link is in the address bar";
        }
        setTimeout(() => (link.textContent = "Copy link"), 2000);
      },
      { tip: "A link to this page that restores what the widget shows now" },
    );
  },

  /* Settings from the page's address: #oc-name-1234&lr=0.1&start=[1,2]; the others are as at first. The line of text
     says what was set. */
  restore() {
    const [id, ...rest] = location.hash.slice(1).split("&");
    if (!this.el.id || id !== this.el.id) return;
    const changes = {},
      unread = [];
    for (const [k, text] of new URLSearchParams(rest.join("&"))) {
      try {
        if (k in this.first) changes[k] = revive(JSON.parse(text));
      } catch {
        unread.push(`the link's ${k} could not be read`);
      }
    }
    this.set({ ...this.first, ...changes });
    const words = Object.keys(changes).map((k) => this.words[k]?.(this.value[k]) ?? `${k} ${inWords(this.value[k])}`);
    if (words.length) this.notes.unshift(`Set: ${words.join(", ")}`);
    this.notes.push(...unread);
    this.el.scrollIntoView({ block: "nearest" });
  },
};
