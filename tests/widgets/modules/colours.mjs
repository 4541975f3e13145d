import { COLOURS, deepEqual, element, equal, ok } from "./dom.mjs";
import { contrast, mix, readTheme, rgb } from "../../../optcore/widgets/common/colours.js";

deepEqual(rgb("#ff8000"), [255, 128, 0]);
deepEqual(rgb("rgb(1, 2, 3)"), [1, 2, 3]);
deepEqual(rgb("rgba(1, 2, 3, 0.5)"), [1, 2, 3]);
deepEqual(rgb("color(srgb 0 0.5 1)"), [0, 128, 255]);
deepEqual(mix([0, 0, 0], [100, 50, 10], 0.5), [50, 25, 5]);

// WCAG 2: 21 between black and white, 1 for a colour against itself; #767676 is the lightest grey that passes on white
equal(contrast([0, 0, 0], [255, 255, 255]), 21);
equal(contrast([9, 99, 200], [9, 99, 200]), 1);
ok(contrast(rgb("#767676"), [255, 255, 255]) >= 4.5 && contrast(rgb("#777777"), [255, 255, 255]) < 4.5);

const el = element(),
  theme = readTheme(el);
equal(theme.bg, COLOURS.bg);
deepEqual(Object.keys(theme).includes("accent") && el.children, []);
