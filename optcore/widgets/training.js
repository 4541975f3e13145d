/* A table of runs made beforehand. Settings: `s0`, `s1`, … the choice in each setting (a position for numbers, a text
   otherwise), `pinned` the number of a record drawn thin, or null, `read` the place on the curves that is read. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { settings, rows, pool } = spec,
      { fmt, rgb, mix, h, GLYPHS } = oc;
    const CLASSES = [
      "#0b63b5",
      "#c2410c",
      "#0f766e",
      "#b3125a",
      "#7c3aed",
      "#8a6100",
      "#5b6770",
      "#15803d",
      "#1e3a8a",
      "#a21caf",
    ];
    const swatches = [];

    const panel = (p, options, role) => {
      const plot = ui.plot({
        label: `${p.title}, ${role}`,
        title: " ",
        ratio: 1.3,
        narrow: 1.5,
        y: p.limits,
        logy: p.log,
        ...options,
      });
      const legend = p.curves.map(({ name, color }, k) => {
        const glyph = h(
          "span",
          { "aria-hidden": "true" },
          ` ${"level" in pool[rows[0][name]] ? "╌╌" : GLYPHS[k % GLYPHS.length]} `,
        );
        swatches.push([glyph, color]);
        return [glyph, name];
      });
      plot.el
        .querySelector("figcaption")
        .replaceChildren(
          ...(p.curves.length > 1 || p.title !== p.curves[0].name ? [`${p.title}:`, ...legend.flat()] : [p.title]),
        );
      return { ...p, plot };
    };
    const range = (xs) => {
      const lo = Math.min(...xs),
        hi = Math.max(...xs);
      return hi > lo ? [lo, hi] : [lo - 0.5, hi + 0.5];
    };
    const curvesOf = (p) => rows.flatMap((row) => p.curves.map(({ name }) => pool[row[name]]).filter((e) => "x" in e));
    const panels = spec.panels.map((p) =>
      panel(
        p,
        { x: range(curvesOf(p).flatMap((e) => range(pool[e.x]))), xlabel: spec.xlabel },
        `against the ${spec.xlabel}`,
      ),
    );

    // values are drawn against one setting: on a log scale when its numbers span more than a decade
    const axis = settings[spec.against],
      places = axis.numeric ? axis.values : axis.values.map((_, i) => i);
    const logx = axis.numeric && places[0] > 0 && places.at(-1) / places[0] > 10,
      [first, last] = range(places);
    const edge = logx ? [first / 1.3, last * 1.3] : [first - 0.05 * (last - first), last + 0.05 * (last - first)];
    const words =
      axis.numeric && !(logx && places.length < 7)
        ? {}
        : { xticks: axis.values.map((v, i) => [places[i], axis.numeric ? fmt(v) : String(v)]) };
    const scalars = spec.values.map((p) =>
      panel(p, { x: edge, logx, xlabel: axis.label, ...words }, `against ${axis.label}`),
    );
    const pick = (i) => ui.set({ [`s${spec.against}`]: axis.numeric ? i : String(axis.values[i]) });
    for (const { plot } of scalars)
      plot.pick(([p]) =>
        pick(
          places.reduce(
            (best, v, i) => (Math.abs(plot.X(v) - plot.X(p)) < Math.abs(plot.X(places[best]) - plot.X(p)) ? i : best),
            0,
          ),
        ),
      );

    const images = spec.images.map((image) => {
      const { rows: ny, columns: nx } = pool[rows[0][image.name]],
        [x0, x1, y0, y1] = spec.extent ?? [0, nx, 0, ny];
      const plot = ui.plot({
        label: image.name,
        title: image.name,
        ratio: (x1 - x0) / (y1 - y0) || 1,
        x: [x0, x1],
        y: [y0, y1],
        ...(spec.extent ? {} : { xticks: [], yticks: [] }),
      });
      plot.el.style.maxWidth = "26rem";
      return { ...image, plot };
    });
    const bars = spec.histograms.map((p) => {
      const top = Math.max(...rows.flatMap((row) => pool[row[p.name]].y));
      return {
        ...p,
        plot: ui.plot({
          label: `Histogram of ${p.name}`,
          title: `${p.name}: share of the values`,
          ratio: 1.3,
          narrow: 1.6,
          x: range(p.edges),
          y: [0, 1.05 * top],
        }),
      };
    });

    settings.forEach(({ label, values, numeric, tip }, k) => {
      if (values.length < 2) return ui.field(`s${k}`, (_value, _note, kept) => kept);
      if (numeric)
        ui.slider(`s${k}`, { label, tip, min: 0, max: values.length - 1, int: true, format: (i) => fmt(values[i]) });
      else ui.select(`s${k}`, { label, tip, options: values.map(String) });
    });
    // the abscissas that the slider goes through: those of the curve with the most
    const xs = spec.panels
      .flatMap(curvesOf)
      .reduce((most, e) => (pool[e.x].length > most.length ? pool[e.x] : most), []);
    if (xs.length)
      ui.slider("read", {
        label: `Read at ${spec.xlabel}`,
        min: 0,
        max: xs.length - 1,
        int: true,
        format: (i) => fmt(xs[i]),
        tip: "Where on the curves the line of text reads their values.",
      });
    const position = (v, k) =>
      settings[k].numeric ? v[`s${k}`] : settings[k].values.findIndex((o) => String(o) === v[`s${k}`]);
    const number = (v) => settings.reduce((at, { values }, k) => at * values.length + position(v, k), 0);
    ui.field("pinned", (v, note) =>
      v === null || (Number.isInteger(v) && v >= 0 && v < rows.length)
        ? v
        : (note("there is no such run to pin"), null),
    );
    const pin = ui.button(
      "Pin this run",
      () => ui.set({ pinned: ui.value.pinned === null ? number(ui.value) : null }),
      { tip: "Keeps this run, thin, while you choose another" },
    );

    const name = (at) =>
      settings
        .map(({ label, values }, k) => {
          const after = settings.slice(k + 1).reduce((p, s) => p * s.values.length, 1),
            value = values[Math.floor(at / after) % values.length];
          return `${label} ${typeof value === "number" ? fmt(value) : value}`;
        })
        .join(", ");
    const reading = (e, x) => {
      if ("level" in e) return fmt(e.level);
      const near = (best, v, i, all) => (Math.abs(v - x) < Math.abs(all[best] - x) ? i : best),
        k = "x" in e ? pool[e.x].reduce(near, 0) : 0,
        at = (list) => fmt(Array.isArray(list) ? list[k] : list);
      return at(e.y) + ("lo" in e && at(e.lo) !== at(e.hi) ? ` (${at(e.lo)} to ${at(e.hi)})` : "");
    };
    /* The standard deviation of what a histogram counts. */
    const spread = ({ name, edges }, i) => {
      const share = pool[rows[i][name]].y,
        at = (k) => (edges[k] + edges[k + 1]) / 2,
        mean = share.reduce((sum, p, k) => sum + p * at(k), 0);
      return fmt(Math.sqrt(share.reduce((sum, p, k) => sum + p * (at(k) - mean) ** 2, 0)));
    };

    return ui.run((v) => {
      const at = number(v),
        row = rows[at],
        old = v.pinned === null ? null : rows[v.pinned];
      for (const [glyph, color] of swatches) glyph.style.color = ui.color(color);
      pin.textContent = old ? "Unpin" : "Pin this run";

      for (const { plot, curves } of panels) {
        plot.axes();
        if (v.read < xs.length - 1) plot.rule({ x: xs[v.read] });
        const draw = (entry, k, color, width) => {
          if ("level" in entry) return plot.rule({ y: entry.level }, { color, width: 1.5, dash: [7, 4] });
          const xs = pool[entry.x];
          if (entry.lo && width > 1.5) plot.area(xs, entry.lo, entry.hi, { color });
          plot.line(xs, entry.y, { color, width });
          for (
            let i = Math.floor(xs.length * (0.12 + 0.06 * k));
            width > 1.5 && i < xs.length;
            i += Math.ceil(xs.length / 3)
          )
            plot.dot(xs[i], entry.y[i], { color, shape: k, size: 4 });
        };
        if (old) curves.forEach(({ name }, k) => draw(pool[old[name]], k, "muted", 1.25));
        curves.forEach(({ name, color }, k) => draw(pool[row[name]], k, color, 2));
      }
      for (const { plot, curves } of scalars) {
        const step = settings.slice(spec.against + 1).reduce((p, s) => p * s.values.length, 1),
          from = at - position(v, spec.against) * step;
        plot.axes();
        plot.rule({ x: places[position(v, spec.against)] });
        curves.forEach(({ name, color }, k) => {
          const list = places.map((_, i) => pool[rows[from + i * step][name]]),
            of = (key) => list.map((e) => e[key] ?? e.y);
          plot.area(places, of("lo"), of("hi"), { color });
          plot.line(places, of("y"), { color });
          places.forEach((p, i) =>
            plot.dot(p, list[i].y, { color, shape: k, size: i === position(v, spec.against) ? 6 : 4 }),
          );
        });
      }
      for (const { name, classes, plot } of images) {
        const { rows: ny, columns: nx, cells } = pool[row[name]],
          bg = rgb(ui.theme.bg),
          inks = CLASSES.map((c) => rgb(ui.color(c)));
        const color = (i, j) => {
          const c = cells[(spec.extent ? j : ny - 1 - j) * nx + i];
          return classes ? mix(bg, inks[c % inks.length], 0.4) : mix(bg, inks[+(c < 0)], Math.abs(c) / 100);
        };
        plot.image(nx, ny, color, [row[name]]);
        if (spec.scatter)
          spec.scatter[0].forEach(([p, q], i) =>
            plot.dot(p, q, {
              size: 3.5,
              shape: spec.scatter[1][i],
              color: CLASSES[spec.scatter[1][i] % CLASSES.length],
            }),
          );
        plot.axes({ grid: false });
      }
      for (const { name, edges, plot } of bars) {
        plot.axes();
        plot.bars(edges, pool[row[name]].y);
        if (old)
          plot.line(
            (i) => edges[i >> 1],
            (i) => pool[old[name]].y[Math.min((i - 1) >> 1, edges.length - 2)] ?? 0,
            { n: 2 * edges.length, color: "fg", width: 1.25 },
          );
      }

      const end = (list) => (Array.isArray(list) ? list.at(-1) : list);
      for (const { curves } of [...panels, ...scalars])
        for (const { name } of curves) ui.facts({ [name]: pool[row[name]].level ?? end(pool[row[name]].y) });
      const x = xs[v.read],
        where = v.read === xs.length - 1 ? "at the end" : `at ${spec.xlabel} ${fmt(x)}`;
      const report = (i) => {
        const parts = [...panels, ...scalars].flatMap(({ curves }) =>
          curves.map(({ name }) => {
            const entry = pool[rows[i][name]];
            return `${name} ${reading(entry, x)}${"x" in entry ? ` ${where}` : ""}`;
          }),
        );
        for (const b of bars) parts.push(`spread of ${b.name} ${spread(b, i)} at the end`);
        return `${name(i)}${parts.length ? `: ${parts.join(", ")}` : ""}.`;
      };
      return [report(at), old && `Pinned, thin: ${report(v.pinned)}`, spec.notes[at], spec.band && `(${spec.band}.)`];
    });
  },
};
