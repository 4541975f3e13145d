/* Colours: read from the style sheet, mixed, compared. */
import { h } from "./elements.js";

export const rgb = (css) =>
  css[0] === "#"
    ? [1, 3, 5].map((i) => parseInt(css.slice(i, i + 2), 16))
    : css
        .match(/[\d.]+/g)
        .slice(0, 3)
        .map(Number);
export const mix = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * t));
const luminance = (c) => {
  const [r, g, b] = c.map((v) => (v <= 10 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
export const contrast = (a, b) => {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
};
const THEME = ["fg", "muted", "line", "bg", "accent", "warn", "low", "high"];
export function readTheme(el) {
  const probe = el.appendChild(h("i"));
  const theme = {};
  for (const name of THEME) {
    probe.style.color = `var(--oc-${name})`;
    theme[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return theme;
}
