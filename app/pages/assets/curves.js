/* A run's curves, drawn at the size they are shown, anew with each event; what was zoomed stays so. */
const NS = 'http://www.w3.org/2000/svg';
const LEFT = 66, RIGHT = 18, BOTTOM = 46, HEAD = 28, ROW = 18, LETTER = 6.4, COLOURS = 7;
const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const room = element.querySelector('.g-charts'), hint = element.querySelector('.g-charts-hint'), told = element.querySelector('.g-charts-fault');
let plots = [], shownRun = null;

function make(parent, name, attributes = {}, text = '') {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.append(made);
  return made;
}
const short = (value) => Number(value.toPrecision(3)).toExponential().replace('+', '');
const rounded = (value) => (value && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) ? short(value) : String(Number(value.toPrecision(4))));
const inside = (value, [low, high]) => value >= low && value <= high;

/* Between numbers and pixels, both ways; `log` for a logarithmic axis. */
function axis(range, start, end, log) {
  const to = log ? Math.log : (v) => v, from = log ? Math.exp : (v) => v;
  const low = to(range[0]), span = to(range[1]) - low;
  return {
    range, start, end, log,
    at: (value) => start + (span ? (to(value) - low) / span : 0.5) * (end - start),
    back: (px) => from(low + ((px - start) / (end - start)) * span),
  };
}

/* Round values within a range, about n. */
function ticks([low, high], n = 5) {
  if (!(high > low)) return [low];
  const raw = (high - low) / n, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i += 1) found.push(Number((i * step).toPrecision(12)));
  return found;
}
/* The powers of the base within a range, thinned to what fits; fewer than two say nothing. */
function powers(range, base, most) {
  const [first, last] = [Math.ceil(Math.log(range[0]) / Math.log(base) - 1e-9), Math.floor(Math.log(range[1]) / Math.log(base) + 1e-9)];
  if (last <= first) return ticks(range, most - 2).filter((v) => v > 0).map((v) => [v, rounded(v)]);
  const step = Math.max(1, Math.ceil((last - first + 1) / most)), found = [];
  for (let p = first; p <= last; p += step) {
    const raised = String(p).replace('-', '⁻').replace(/\d/g, (d) => SUPERSCRIPT[d]);
    found.push([base ** p, base === 10 ? `10${raised}` : rounded(base ** p)]);
  }
  return found;
}

/* What the axes show: all there is, or what was zoomed to; upwards what of the curves stands there. */
function ranges({ chart, zoom }) {
  const points = chart.lines.flatMap((line) => line.points);
  const beside = [...chart.guides.map((g) => g.x), ...(chart.x_range ?? [])].filter((x) => x > 0 || !chart.base);
  const xs = [...points.map(([x]) => x), ...beside];
  const across = zoom.x ?? [Math.min(...xs), Math.max(...xs)];
  if (zoom.y) return [across, zoom.y];
  const seen = points.filter(([x]) => inside(x, across)), ys = (seen.length ? seen : points).map(([, y]) => y);
  const low = Math.min(...ys), top = Math.max(...ys);
  const high = zoom.x || chart.y_most === null ? top : Math.min(top, chart.y_most);
  const margin = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  const fromZero = !zoom.x && low >= 0 && low <= 0.3 * high;  // where the values come near it
  return [across, [fromZero ? 0 : low - margin, high + margin]];
}

function drawFrame(plot, svg) {
  const { chart, across, up, width, height, top } = plot;
  const foot = height - BOTTOM, few = Math.max(3, Math.floor(width / 75));
  for (const value of ticks(up.range)) {
    make(svg, 'line', { class: 'g-grid', x1: LEFT, x2: width - RIGHT, y1: up.at(value), y2: up.at(value) });
    make(svg, 'text', { class: 'g-tick', x: LEFT - 8, y: up.at(value) + 4, 'text-anchor': 'end' }, rounded(value));
  }
  const whole = chart.lines.every((line) => line.points.every(([x]) => Number.isInteger(x)));
  const marks = chart.base ? powers(across.range, chart.base, few)
    : ticks(across.range, few).filter((v) => !whole || Number.isInteger(v)).map((v) => [v, rounded(v)]);
  for (const [value, words] of marks) {
    make(svg, 'line', { class: 'g-grid', x1: across.at(value), x2: across.at(value), y1: top, y2: foot });
    make(svg, 'text', { class: 'g-tick', x: across.at(value), y: foot + 18, 'text-anchor': 'middle' }, words);
  }
  const middle = (top + foot) / 2;
  make(svg, 'text', { class: 'g-axis', x: (LEFT + width - RIGHT) / 2, y: height - 8, 'text-anchor': 'middle' }, chart.x_label);
  make(svg, 'text', { class: 'g-axis', x: 14, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 14 ${middle})` }, chart.y_label);
}

function drawCurves(plot, svg) {
  const { chart, across, up, width, height, top } = plot, id = `clip-${plot.number}`;
  const clip = make(make(svg, 'defs'), 'clipPath', { id });
  make(clip, 'rect', { x: LEFT - 4, y: top, width: Math.max(0, width - LEFT - RIGHT + 8), height: Math.max(0, height - BOTTOM - top) });
  const within = make(svg, 'g', { 'clip-path': `url(#${id})` });
  const place = ([x, y]) => `${across.at(x).toFixed(1)},${up.at(y).toFixed(1)}`;
  for (const guide of chart.guides) {
    const css = `g-mark${guide.strong ? ' g-strong' : ''}`;
    make(within, 'line', { class: css, x1: across.at(guide.x), x2: across.at(guide.x), y1: top, y2: height - BOTTOM });
  }
  if (chart.band.length > 1) {
    const edge = [...chart.band.map(([x, , high]) => [x, high]), ...chart.band.map(([x, low]) => [x, low]).reverse()];
    make(make(within, 'g', { class: 'g-line g-line-0' }), 'polygon', { points: edge.map(place).join(' ') });
  }
  chart.lines.forEach((line, number) => {
    const group = make(within, 'g', { class: `g-line g-line-${number % COLOURS}` });
    make(group, 'polyline', { points: line.points.map(place).join(' ') });
    if (line.dots || line.points.length === 1) for (const [x, y] of line.points) make(group, 'circle', { cx: across.at(x), cy: up.at(y), r: 3.5 });
  });
  const named = chart.guides.filter((g) => inside(g.x, across.range)).sort((a, b) => a.x - b.x);
  named.forEach((guide, row) => {
    const x = across.at(guide.x), leftwards = x + guide.name.length * LETTER + 6 > width - RIGHT;
    make(svg, 'text', { class: `g-mark${guide.strong ? ' g-strong' : ''}`, x: x + (leftwards ? -5 : 5), y: top + 12 + (row % 6) * 15, 'text-anchor': leftwards ? 'end' : 'start' }, guide.name);
  });
}

/* The lines' names with their colours, in rows; gives how many. */
function legend({ chart, width }, svg) {
  if (chart.lines.length < 2) return 0;
  let x = LEFT, row = 0;
  chart.lines.forEach((line, number) => {
    const space = 30 + line.name.length * LETTER;
    if (x > LEFT && x + space > width) { x = LEFT; row += 1; }
    const y = HEAD + 8 + row * ROW;
    make(make(svg, 'g', { class: `g-line g-line-${number % COLOURS}` }), 'circle', { cx: x + 5, cy: y, r: 4.5 });
    make(svg, 'text', { class: 'g-tick', x: x + 14, y: y + 4 }, line.name);
    x += space;
  });
  return row + 1;
}

function draw(plot) {
  const { chart, svg } = plot;
  plot.width = plot.box.clientWidth;
  if (!plot.width) return;  // its place is not shown
  svg.replaceChildren();
  make(svg, 'text', { class: 'g-axis g-head', x: LEFT, y: 16 }, plot.title);
  plot.top = HEAD + ROW * legend(plot, svg);
  plot.height = plot.top + BOTTOM + Math.max(170, Math.min(300, plot.width * 0.42));
  svg.setAttribute('viewBox', `0 0 ${plot.width} ${plot.height}`);
  svg.setAttribute('height', plot.height);
  plot.empty = !chart.lines.some((line) => line.points.length);
  if (plot.empty) {
    make(svg, 'text', { class: 'g-tick', x: plot.width / 2, y: plot.height / 2, 'text-anchor': 'middle' }, 'no points yet');
    return;
  }
  const [x, y] = ranges(plot);
  plot.across = axis(x, LEFT, plot.width - RIGHT, chart.base);
  plot.up = axis(y, plot.height - BOTTOM, plot.top, 0);
  drawFrame(plot, svg);
  drawCurves(plot, svg);
  plot.whole.disabled = !plot.zoom.x;
  mark(plot);
}

/* Charts are kept as long as the run is the same, so that nothing jumps and what was zoomed stays. */
function show() {
  const { run, charts, fault } = props.value || { run: '', charts: [], fault: '' };
  if (run !== shownRun || charts.length < plots.length) {
    room.replaceChildren();
    plots = [];
    shownRun = run;
  }
  charts.forEach((chart, number) => {
    const title = chart.title || chart.y_label, words = title.slice(0, 1).toUpperCase() + title.slice(1);
    if (plots[number] && plots[number].title !== words) plots[number].zoom = {};
    plots[number] ??= layOut(number);
    Object.assign(plots[number], { chart, title: words });
    name(plots[number]);
    draw(plots[number]);
  });
  room.classList.toggle('g-one', charts.length === 1);
  hint.hidden = !charts.length;
  told.textContent = fault;
}
