/* Values, zoom, and files of a run's curves: by mouse, finger and keys. Stands behind curves.js, whose names it uses. */
const LEAST_DRAG = 8, LEAST_HEIGHT = 24;  // pixels; a flat drag chooses a part of the x axis alone

function layOut(number) {
  const figure = document.createElement('figure');
  figure.className = 'g-figure';
  figure.innerHTML = '<div class="g-figure-tools"><button type="button">Whole</button><button type="button">PNG</button><button type="button">CSV</button></div>'
    + '<div class="g-plot" tabindex="0" role="group"><svg class="g-chart" role="img"></svg><div class="g-tip" hidden></div></div><p class="g-unseen" aria-live="polite"></p>';
  room.append(figure);
  const [whole, png, csv] = figure.querySelectorAll('button');
  const plot = { number, figure, whole, png, csv, zoom: {}, at: null, box: figure.querySelector('.g-plot'), svg: figure.querySelector('svg'), tip: figure.querySelector('.g-tip'), said: figure.querySelector('[aria-live]') };
  whole.onclick = () => { zoomTo(plot, null); plot.box.focus(); };
  png.onclick = () => savePicture(plot);
  csv.onclick = () => keep(plot, 'csv', new Blob([table(plot.chart)], { type: 'text/csv' }));
  listen(plot);
  new ResizeObserver(() => { if (plot.chart && plot.box.clientWidth !== plot.width) draw(plot); }).observe(plot.box);
  return plot;
}

function name(plot) {
  const { chart, title } = plot, lines = chart.lines.map((line) => line.name).join(', ');
  const about = `${chart.y_label} against ${chart.x_label}: ${lines}`;
  plot.svg.setAttribute('aria-label', about);
  plot.box.setAttribute('aria-label', `${title}. Arrow keys read values, plus and minus zoom, 0 shows all`);
  plot.whole.setAttribute('aria-label', `Whole curve of ${title}`);
  plot.png.setAttribute('aria-label', `PNG of ${title}`);
  plot.csv.setAttribute('aria-label', `CSV of ${title}`);
}

/* ---- values ---- */
const places = ({ chart, across }) => [...new Set(chart.lines.flatMap((line) => line.points.map(([x]) => x)))].filter((x) => inside(x, across.range)).sort((a, b) => a - b);
const nearest = (plot, px) => places(plot).reduce((best, x) => (best === null || Math.abs(plot.across.at(x) - px) < Math.abs(plot.across.at(best) - px) ? x : best), null);

/* What stands at a place: a line upwards, a dot on each curve, and the numbers beside it. */
function mark(plot) {
  const { chart, across, up, svg, tip, at } = plot;
  svg.querySelector('.g-at')?.remove();
  const here = at === null || !inside(at, across.range) ? [] : chart.lines.flatMap((line, number) => line.points.filter(([x]) => x === at).map(([, y]) => ({ name: line.name, number, y })));
  tip.hidden = !here.length;
  if (!here.length) return '';
  const group = make(svg, 'g', { class: 'g-at' }), x = across.at(at);
  make(group, 'line', { class: 'g-mark', x1: x, x2: x, y1: plot.top, y2: plot.height - BOTTOM });
  for (const { number, y } of here) if (inside(y, up.range)) make(make(group, 'g', { class: `g-line g-line-${number % COLOURS}` }), 'circle', { cx: x, cy: up.at(y), r: 4.5 });
  const lines = [`${chart.x_label} ${rounded(at)}`, ...here.map(({ name: of, y }) => `${of}: ${rounded(y)}`)];
  tip.replaceChildren(...lines.map((words) => { const line = document.createElement('div'); line.textContent = words; return line; }));
  const beyond = x + 12 + tip.offsetWidth > plot.width;
  tip.style.left = `${Math.max(0, beyond ? x - 12 - tip.offsetWidth : x + 12)}px`;
  tip.style.top = `${plot.top + 4}px`;
  return lines.join(', ');
}
function look(plot, at, aloud = false) {
  plot.at = at;
  const words = mark(plot);
  if (aloud) plot.said.textContent = words;
}

/* ---- zoom ---- */
function zoomTo(plot, x, y = null) {
  plot.zoom = x ? { x, y } : {};
  draw(plot);
}
/* So much of what is seen, around a place in pixels; never more than there is. */
function zoomBy(plot, part, px) {
  const { across } = plot, [whole] = ranges({ ...plot, zoom: {} });
  const ends = [across.start, across.end].map((end) => across.back(px + (end - px) * part));
  const x = [Math.max(ends[0], whole[0]), Math.min(ends[1], whole[1])];
  if (x[0] <= whole[0] && x[1] >= whole[1]) zoomTo(plot, null);
  else if (across.at(x[1]) - across.at(x[0]) > 1e-3) zoomTo(plot, x);
}
function step(plot, by) {
  const found = places(plot), now = found.indexOf(plot.at);
  const next = now < 0 ? (by > 0 ? 0 : found.length - 1) : Math.min(found.length - 1, Math.max(0, now + by));
  if (found.length) look(plot, found[next], true);
}
function press(plot, e) {
  const middle = () => (plot.at !== null && inside(plot.at, plot.across.range) ? plot.across.at(plot.at) : (plot.across.start + plot.across.end) / 2);
  const acts = {
    ArrowLeft: () => step(plot, -1), ArrowRight: () => step(plot, 1),
    '+': () => zoomBy(plot, 0.5, middle()), '=': () => zoomBy(plot, 0.5, middle()),
    '-': () => zoomBy(plot, 2, middle()), 0: () => zoomTo(plot, null),
    Escape: () => { if (plot.zoom.x) zoomTo(plot, null); else look(plot, null); },
  };
  if (!acts[e.key] || e.ctrlKey || e.metaKey || e.altKey || plot.empty) return;
  e.preventDefault();
  acts[e.key]();
}
function drag(plot, from, to) {
  plot.svg.querySelector('.g-chosen')?.remove();
  const { across, up } = plot, held = (v, low, high) => Math.min(high, Math.max(low, v));
  const xs = [from.x, to.x].map((v) => held(v, across.start, across.end)).sort((a, b) => a - b);
  const ys = [from.y, to.y].map((v) => held(v, up.end, up.start)).sort((a, b) => a - b);
  const flat = ys[1] - ys[0] < LEAST_HEIGHT;
  const [top, foot] = flat ? [up.end, up.start] : ys;
  if (xs[1] - xs[0] < LEAST_DRAG) return null;
  make(plot.svg, 'rect', { class: 'g-chosen', x: xs[0], y: top, width: xs[1] - xs[0], height: foot - top });
  return [xs.map(across.back), flat ? null : [up.back(foot), up.back(top)]];
}
function listen(plot) {
  const { box, svg } = plot;
  const place = (e) => { const seen = svg.getBoundingClientRect(); return { x: e.clientX - seen.left, y: e.clientY - seen.top }; };
  let from = null;
  box.onkeydown = (e) => press(plot, e);
  box.onblur = () => look(plot, null);
  svg.ondblclick = () => zoomTo(plot, null);
  svg.onpointerdown = (e) => { if (e.button === 0 && !plot.empty) { from = place(e); svg.setPointerCapture(e.pointerId); } };
  svg.onpointermove = (e) => {
    if (plot.empty) return;
    if (from) drag(plot, from, place(e));
    look(plot, nearest(plot, place(e).x));
  };
  svg.onpointerup = (e) => {
    const chosen = from && drag(plot, from, place(e));
    from = null;
    svg.querySelector('.g-chosen')?.remove();
    if (chosen) zoomTo(plot, ...chosen);
  };
  svg.onpointercancel = () => { from = null; svg.querySelector('.g-chosen')?.remove(); };
  svg.onpointerleave = () => { if (!from) look(plot, null); };
  /* With Ctrl, as two fingers on a touchpad say it: the wheel alone scrolls the page. */
  svg.addEventListener('wheel', (e) => {
    if (!(e.ctrlKey || e.metaKey) || plot.empty) return;
    e.preventDefault();
    zoomBy(plot, e.deltaY < 0 ? 0.8 : 1.25, place(e).x);
  }, { passive: false });
}

/* ---- files ---- */
function keep(plot, suffix, blob) {
  const link = document.createElement('a'), of = plot.title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  link.href = URL.createObjectURL(blob);
  link.download = `${shownRun.split('-').slice(1).join('-') || 'run'}-${of}.${suffix}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
/* Every point there is, also beyond what is zoomed to: a row for each x, a column for each curve. */
function table(chart) {
  const cell = (words) => (/[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words);
  const rows = new Map();
  const put = (x, column, value) => { if (!rows.has(x)) rows.set(x, []); rows.get(x)[column] = value; };
  chart.lines.forEach((line, column) => { for (const [x, y] of line.points) put(x, column, y); });
  const names = chart.lines.map((line) => line.name);
  if (chart.band.length) {
    for (const [x, low, high] of chart.band) { put(x, names.length, low); put(x, names.length + 1, high); }
    names.push('lowest', 'highest');
  }
  const lines = [...rows].sort(([a], [b]) => a - b).map(([x, values]) => [x, ...names.map((_, column) => values[column] ?? '')].join(','));
  return `${[chart.x_label, ...names].map(cell).join(',')}\n${lines.join('\n')}\n`;
}
/* As it is seen, in twice as many pixels, with the style sheet's colours written into it. */
async function savePicture(plot) {
  const copy = plot.svg.cloneNode(true), { width, height } = plot;
  const drawn = plot.svg.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((part, number) => {
    const style = getComputedStyle(drawn[number]);
    for (const key of ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin', 'opacity', 'paint-order', 'font-family', 'font-size', 'font-weight']) part.style.setProperty(key, style.getPropertyValue(key));
  });
  copy.querySelector('.g-at')?.remove();
  copy.setAttribute('xmlns', NS);
  copy.setAttribute('width', width);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  const pen = canvas.getContext('2d');
  pen.fillStyle = getComputedStyle(plot.figure).getPropertyValue('--g-paper');
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => keep(plot, 'png', blob), 'image/png');
}

watch('value', show);
show();
