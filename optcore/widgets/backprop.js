/* One layer as a graph: values forward, gradients back, edge by edge; beside it the Jacobian of the activation. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el }),
      { spec } = ui,
      { fmt } = oc,
      K = [1, 2, 3];
    const graph = ui.plot({ label: "Graph of the layer", ratio: 2, narrow: 0.72, bare: true });
    const matrix = ui.plot({
      label: "Jacobian of the activation",
      title: "Jacobian ∂a/∂h",
      ratio: 0.75,
      narrow: 1.5,
      x: [0.5, 3.5],
      y: [0.5, 3.5],
      xticks: K.map((k) => [k, `h${"₁₂₃"[k - 1]}`]),
      yticks: K.map((k) => [4 - k, `a${"₁₂₃"[k - 1]}`]),
    });
    const compiled = (list) =>
      Object.fromEntries(list.map((p) => [p.value, { label: p.label, ...oc.program(p.program) }]));
    const activations = compiled(spec.activations),
      losses = compiled(spec.losses),
      W = spec.W.flat();
    const linear = oc.program(spec.linear),
      backward = oc.program(spec.backward);
    const call = (program, ...inputs) => (
      program.x.set(inputs.flatMap((v) => [...v])), program.run(program.x, program.y), [...program.y]
    );

    const leaves = ["x", "W", "b"];
    ui.select("activation", {
      label: "Activation",
      options: spec.activations,
      tip: "The function that turns h into a.",
    });
    ui.select("loss", {
      label: "Loss",
      options: spec.losses,
      tip: `The target y is (${spec.y.map((v) => fmt(v)).join(", ")}).`,
    });
    ui.player("stage", { max: () => 5, label: "Edges walked back" });
    ui.checks("requires_grad", { legend: "requires_grad", options: leaves.map((v) => ({ value: v, label: v })) });
    const slider = (name, parent, tip) =>
      K.forEach((k) =>
        ui.slider(name + k, {
          label: `${name}${"₁₂₃"[k - 1]}`,
          min: -spec.limit,
          max: spec.limit,
          steps: 80,
          in: parent,
          tip,
        }),
      );
    slider("b", undefined, "A component of the bias; it shifts the same component of h.");
    slider("x", ui.group("Input"), "A component of the input.");

    const list = (v) => `(${[...v].map((a) => fmt(a)).join(", ")})`;
    const short = (v) => `(${[...v].map((a) => fmt(a, 2)).join(", ")})`;
    const rows = (m, words) => [0, 3, 6].map((i) => words(m.slice(i, i + 3)));
    /* Nodes in the order in which the gradient reaches them; places in a wide and in a narrow graph, 0 to 1, y up. */
    const PLACES = {
      l: [
        [0.94, 0.6],
        [0.5, 0.09],
      ],
      a: [
        [0.7, 0.6],
        [0.5, 0.3],
      ],
      h: [
        [0.4, 0.6],
        [0.5, 0.53],
      ],
      W: [
        [0.11, 0.34],
        [0.5, 0.86],
      ],
      b: [
        [0.4, 0.14],
        [0.86, 0.83],
      ],
      x: [
        [0.11, 0.86],
        [0.14, 0.83],
      ],
    };
    const EDGES = [
      ["a", "l"],
      ["h", "a"],
      ["W", "h"],
      ["b", "h"],
      ["x", "h"],
    ];
    graph.pick(([px, py]) => {
      const far = Object.entries(boxes)
        .map(([name, { x, y }]) => [Math.hypot(x - px, y - py), name])
        .sort((p, q) => p[0] - q[0]);
      ui.set({ stage: Object.keys(PLACES).indexOf(far[0][1]) });
    });

    let boxes = {};
    const LINE = 17;
    function layout(nodes) {
      const { ctx, w, h } = graph,
        narrow = +(h > w);
      graph.range({ x: [0, w], y: [0, h] });
      ctx.font = "11px system-ui, sans-serif";
      boxes = {};
      for (const [name, lines] of Object.entries(nodes)) {
        const [px, py] = PLACES[name][narrow],
          width = Math.max(...lines.map(([text]) => ctx.measureText(text).width)) + 14,
          height = lines.length * LINE + 8;
        const inside = (v, size, all) => oc.clamp(v * all, size / 2 + 2, all - size / 2 - 2);
        boxes[name] = { x: inside(px, width, w), y: inside(py, height, h), width, height, lines };
      }
    }
    /* Where the line from the middle of one box to that of another leaves the first. */
    const border = (p, q, gap) => {
      const [dx, dy] = [q.x - p.x, q.y - p.y],
        t = Math.min((p.width / 2 + gap) / Math.abs(dx), (p.height / 2 + gap) / Math.abs(dy));
      return [p.x + t * dx, p.y + t * dy];
    };
    function box({ x, y, width, height, lines }, edge) {
      const { ctx } = graph;
      ctx.beginPath();
      ctx.roundRect(graph.X(x) - width / 2, graph.Y(y) - height / 2, width, height, 6);
      graph.fill("bg");
      ctx.strokeStyle = ui.color(edge);
      ctx.lineWidth = edge === "line" ? 1.5 : 2.5;
      ctx.stroke();
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      lines.forEach(([text, color], i) => {
        ctx.fillStyle = ui.color(color);
        ctx.fillText(text, graph.X(x), graph.Y(y) - height / 2 + 4 + (i + 0.5) * LINE);
      });
    }

    return ui.run((value) => {
      const activation = activations[value.activation] ?? activations.relu,
        loss = losses[value.loss] ?? losses.sum;
      const x = K.map((k) => value[`x${k}`]),
        b = K.map((k) => value[`b${k}`]),
        stage = Math.min(value.stage ?? 5, 5);
      const h = call(linear, x, W, b),
        aJ = call(activation, h),
        [a, J] = [aJ.slice(0, 3), aJ.slice(3)];
      const [l, ...ga] = call(loss, a),
        back = call(backward, x, W, ga, J),
        [gh, gW, gx] = [back.slice(0, 3), back.slice(3, 12), back.slice(12)];
      ui.facts({ "W.grad": Math.max(...gW.map(Math.abs)) });
      const asked = (name) => value.requires_grad.includes(name),
        any = value.requires_grad.length > 0;

      const grad = (at, lines) => (stage >= at && any ? lines.map((text) => [text, "warn"]) : []);
      const leaf = (name, at, values, lines) => [
        [name, "muted"],
        ...values.map((text) => [text, "fg"]),
        ...(asked(name) ? grad(at, [`${name}.grad`, ...lines]) : [[`${name}.grad is None`, "muted"]]),
      ];
      layout({
        x: leaf("x", 5, [short(x)], [short(gx)]),
        W: leaf("W", 3, rows(W, short), rows(gW, short)),
        b: leaf("b", 4, [short(b)], [short(gh)]),
        h: [["h = xW + b", "muted"], [short(h), "fg"], ...grad(2, ["∂l/∂h (not kept)", short(gh)])],
        a: [[`a = ${activation.label}(h)`, "muted"], [short(a), "fg"], ...grad(1, ["∂l/∂a (not kept)", short(ga)])],
        l: [["loss l", "muted"], [fmt(l, 4), "fg"], ...grad(0, ["∂l/∂l = 1"])],
      });
      EDGES.forEach(([from, to], k) => {
        const [p, q] = [boxes[from], boxes[to]],
          flows = leaves.includes(from) ? asked(from) : any,
          walked = k < stage && flows;
        const ends = [...border(p, q, 2), ...border(q, p, 2)],
          [x0, y0, x1, y1] = walked ? [...ends.slice(2), ...ends] : ends;
        graph.arrow(x0, y0, x1, y1, {
          color: walked ? "warn" : "muted",
          width: walked && k === stage - 1 ? 4 : 2,
          dash: flows ? [] : [4, 4],
        });
      });
      const reached = Object.keys(PLACES)[stage];
      for (const name in boxes) box(boxes[name], name === reached ? "warn" : "line");

      const bg = oc.rgb(ui.theme.bg),
        [plus, minus] = ["accent", "warn"].map((c) => oc.rgb(ui.theme[c])),
        cell = (i, j) => J[3 * (2 - j) + i];
      matrix.image(
        3,
        3,
        (i, j) => oc.mix(bg, cell(i, j) < 0 ? minus : plus, Math.min(Math.abs(cell(i, j)) || 0, 1) * 0.45),
        J,
      );
      matrix.axes({ grid: false });
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 3; j++) matrix.text(i + 1, j + 1, fmt(cell(i, j), 2), { align: "center", halo: false });

      const skipped = (name) =>
        !asked(name) &&
        `${name} does not require a gradient, so autograd leaves this edge out and ${name}.grad stays None.`;
      const stopped = value.activation === "relu" && h.some((v) => v <= 0);
      return [
        `Forward: h = ${list(h)}, a = ${activation.label}(h) = ${list(a)}, loss ${fmt(l)}.`,
        l < 0 &&
          value.loss === "cross_entropy" &&
          "A negative loss: these a are no probabilities; a softmax makes some.",
        !Number.isFinite(l) && "The logarithm needs positive a: put a sigmoid or a softmax before this loss.",
        any &&
          `backward() fills ${leaves
            .filter(asked)
            .map((name) => `${name}.grad`)
            .join(", ")}.`,
        !any
          ? "Nothing requires a gradient: backward() would raise an error."
          : [
              "No edge was walked back yet; the gradient of l in itself is 1.",
              `Slope of the loss: ∂l/∂a = ${list(ga)}.`,
              `Upstream times local: ∂l/∂h = ∂l/∂a · J = ` +
                `${list(gh)}.${stopped ? " Where h ≤ 0 the slope of ReLU is 0, and nothing passes." : ""}`,
              skipped("W") || `∂l/∂W = xᵀ ∂l/∂h, the outer product with rows ${rows(gW, list).join(", ")}.`,
              skipped("b") || `∂l/∂b = ∂l/∂h = ${list(gh)}.`,
              skipped("x") || `∂l/∂x = ∂l/∂h · Wᵀ = ${list(gx)}.`,
            ][stage],
      ];
    });
  },
};
