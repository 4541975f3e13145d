/* Colours: read from the style sheet, mixed, compared. */
import { h } from "./elements.js";

/* #rrggbb, rgb(…) and color(srgb …), as style sheets give them. */
export function rgb(css) {
  if (css[0] === "#") return [1, 3, 5].map((i) => parseInt(css.slice(i, i + 2), 16));
  const parts = css.match(/[\d.]+/g).slice(0, 3);
  return parts.map((v) => (css.startsWith("color") ? Math.round(255 * v) : +v));
}
export const mix = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * t));
const luminance = (c) => {
  const [r, g, b] = c.map((v) => (v <= 10 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
export const contrast = (a, b) => {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
};
/* Whether the reader's system gives the colours; canvases must then be told. */
export const FORCED = "(forced-colors: active)";
const THEME = ["fg", "muted", "line", "bg", "accent", "warn", "low", "high"];
export function readTheme(el) {
  const probe = el.appendChild(h("i", { style: "forced-color-adjust:none" }));
  const theme = { legible: matchMedia(FORCED).matches ? 7 : 4.5 };
  for (const name of THEME) {
    probe.style.color = `var(--oc-${name})`;
    theme[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return theme;
}
