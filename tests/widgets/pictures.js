/* Remembers what is drawn on each canvas since it was last cleared, in thousandths of its width and height; each kind of
   stroke, area, word and image becomes one line: its key, how many places, their mean x and y, and how far they spread
   along x, y and the diagonal (an image: how many, mean red, green and blue, and what its left and its upper half are
   darker than the rest). */
{
  const pen = CanvasRenderingContext2D.prototype,
    known = new WeakMap();
  const of = (ctx) => {
    if (!known.has(ctx)) known.set(ctx, { path: [], made: {}, pixels: null });
    return known.get(ctx);
  };
  const at = (ctx, x, y) => {
    const place = new DOMPoint(x, y).matrixTransform(ctx.getTransform());
    return [(1000 * place.x) / ctx.canvas.width, (1000 * place.y) / ctx.canvas.height];
  };
  const put = (ctx, key, ...places) => (of(ctx).made[key] ??= []).push(...places);
  const whole = (ctx, w, h) => w * ctx.getTransform().a >= ctx.canvas.width - 1 && h > 1;
  const corners = (ctx, x, y, w, h) => [at(ctx, x, y), at(ctx, x + w, y + h)];
  const before = (name, act) => {
    const draw = pen[name];
    pen[name] = function (...given) {
      act(this, ...given);
      return draw.apply(this, given);
    };
  };
  const alpha = (ctx) => (ctx.globalAlpha === 1 ? "" : ` at ${+ctx.globalAlpha.toFixed(3)}`);
  const line = (ctx) => `line ${ctx.strokeStyle} ${ctx.lineWidth} ${ctx.getLineDash()}`.trim() + alpha(ctx);

  before("beginPath", (ctx) => (of(ctx).path = []));
  for (const name of ["moveTo", "lineTo"]) before(name, (ctx, x, y) => of(ctx).path.push(at(ctx, x, y)));
  for (const name of ["rect", "roundRect"])
    before(name, (ctx, ...box) => of(ctx).path.push(...corners(ctx, ...box.slice(0, 4))));
  before("stroke", (ctx) => put(ctx, line(ctx), ...of(ctx).path));
  before("fill", (ctx) => put(ctx, `area ${ctx.fillStyle}${alpha(ctx)}`, ...of(ctx).path));
  before("strokeRect", (ctx, ...box) => put(ctx, `frame ${ctx.strokeStyle}`, ...corners(ctx, ...box)));
  before("fillText", (ctx, text, x, y) => put(ctx, `word ${text}`, at(ctx, x, y)));
  before("clearRect", (ctx, _x, _y, w, h) => whole(ctx, w, h) && (of(ctx).made = {}));
  before("fillRect", (ctx, x, y, w, h) => {
    if (whole(ctx, w, h)) of(ctx).made = {};
    else put(ctx, `area ${ctx.fillStyle}`, ...corners(ctx, x, y, w, h));
  });
  before("putImageData", (ctx, pixels) => (of(ctx).pixels = pixels));
  before("drawImage", (ctx, image) => {
    const { width, height, data } = of(image.getContext("2d")).pixels,
      sums = [0, 0, 0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      const [column, row] = [(i / 4) % width, Math.floor(i / 4 / width)];
      for (let c = 0; c < 3; c++) {
        sums[c] += data[i + c];
        sums[3] += column < width / 2 ? -data[i + c] : data[i + c];
        sums[4] += row < height / 2 ? -data[i + c] : data[i + c];
      }
    }
    put(ctx, `image ${sums.map((s) => (s / (width * height)).toFixed(2)).join(" ")}`, at(ctx, 0, 0));
  });

  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const spread = (values) => ((m) => Math.sqrt(mean(values.map((v) => (v - m) ** 2))))(mean(values));
  const summary = (places) => {
    const [x, y] = [0, 1].map((k) => places.map((p) => p[k])),
      slant = x.map((_, k) => (x[k] + y[k]) / Math.SQRT2);
    return [mean(x), mean(y), spread(x), spread(y), spread(slant)].map((v) => +v.toFixed(1));
  };
  globalThis.pictures = () =>
    [...document.querySelectorAll(".oc-widget canvas")]
      .filter((canvas) => canvas.checkVisibility())
      .map((canvas) =>
        Object.entries(of(canvas.getContext("2d")).made)
          .filter(([, places]) => places.length)
          .map(([key, places]) => [key, places.length, ...summary(places)]),
      );
}
