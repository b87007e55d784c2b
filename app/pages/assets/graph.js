/* The canvas of concepts: draws what the server placed, moves the view, and tells the page which concept is chosen.
   `graph_list.js` and `download.js` stand behind it, in the same scope.
   Events for Python stand quoted here: 'concept_chosen', 'mark_set', 'relation_decided'. */
const $ = (selector) => element.querySelector(selector);
const stage = $('.gg-stage'), canvas = $('canvas'), pen = canvas.getContext('2d');
const message = $('.gg-message'), legend = $('.gg-legend');
const BOX = 26, THEME = { width: 214, height: 64, across: 20, down: 46, least: 0.75 }, FONT = 13, READABLE = 0.72, STEPS = 8;
const shared = (window.gradus = window.gradus || {});

/* What is wanted of the graph, as the server reads it and the address says it; concepts by name. */
const EVERYTHING = { about: '', back: null, from: '', to: '', open: [], kinds: ['prerequisite'], note: '', sure: '', known: '' };
let want = { ...EVERYTHING }, view = { kind: '', nodes: [], trail: [], beside: ['', ''] };
let nodes = [], edges = [], byId = new Map(), concepts = [], named = new Map(), about = null, summary = '';
let scale = 1, left = 0, top_ = 0, moved = false, dirty = false;
let needed = 1; // dependants of that concept of the view which has most
let hover = null, chosen = null, path = new Set(), steps = [], after = new Set(), known = new Set();

/* ---- view ---- */
const css = (name) => getComputedStyle(element).getPropertyValue(name).trim();
const toScreen = (x, y) => [x * scale + left, y * scale + top_];
const middle = (n) => toScreen(n.x + n.width / 2, n.y);
const high = (n) => (n.lead ? THEME.height : BOX);
const asBoxes = () => view.kind === 'themes' || scale >= READABLE;

function resize() {
  const box = stage.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
  if (!box.width) return;
  canvas.width = Math.round(box.width * dense);
  canvas.height = Math.round(box.height * dense);
  canvas.style.width = box.width + 'px';
  canvas.style.height = box.height + 'px';
  if (!moved) {
    if (view.kind === 'themes') placeThemes(box);
    fit();
  }
  redraw();
  takeWanted();
}

/* Themes stand in rows, in study order from below, as many across as there is room for. */
function placeThemes(box) {
  const most = Math.max(1, Math.min(4, Math.floor((box.width - 20) / (THEME.width + THEME.across))));
  const rows = Math.ceil(nodes.length / most), across = Math.ceil(nodes.length / rows);
  const free = Math.max(0, box.width - 60 - across * THEME.width) / Math.max(1, across - 1);
  const wide = THEME.width + Math.max(THEME.across, Math.min(90, free));
  const tall = THEME.height + Math.max(26, Math.min(THEME.down * 2, (box.height - 70 - rows * THEME.height) / Math.max(1, rows - 1)));
  nodes.forEach((n, i) => Object.assign(n, { x: (i % across) * wide, y: -Math.floor(i / across) * tall, width: THEME.width, level: Math.floor(i / across) }));
}

function fit(only) {
  const some = only && only.length ? only : nodes;
  if (!some.length) return;
  const box = stage.getBoundingClientRect(), wide = box.width - 28, tall = box.height - 24;
  const x0 = Math.min(...some.map((n) => n.x)), x1 = Math.max(...some.map((n) => n.x + n.width));
  const y0 = Math.min(...some.map((n) => n.y - high(n) / 2)), y1 = Math.max(...some.map((n) => n.y + high(n) / 2));
  scale = Math.min(wide / (x1 - x0), tall / (y1 - y0), 1.25);
  const cut = view.kind === 'themes' && scale < THEME.least; // on a phone: the first themes, the others above them
  if (cut) scale = Math.min(wide / (x1 - x0), THEME.least);
  left = (box.width - (x1 + x0) * scale) / 2;
  top_ = cut ? box.height - 12 - y1 * scale : (box.height - (y1 + y0) * scale) / 2;
}

function zoom(factor, x, y) {
  const box = stage.getBoundingClientRect();
  x = x === undefined ? box.width / 2 : x;
  y = y === undefined ? box.height / 2 : y;
  const next = Math.min(3, Math.max(0.08, scale * factor));
  left = x - ((x - left) * next) / scale;
  top_ = y - ((y - top_) * next) / scale;
  scale = next;
  moved = true;
  redraw();
}

function redraw() {
  if (dirty) return;
  dirty = true;
  requestAnimationFrame(() => { dirty = false; draw(); });
}

/* ---- drawing ---- */
const lit = (n) => !path.size || n.lead || path.has(n.id) || after.has(n.id);
const PROPERTIES = { ink: '--g-ink', quiet: '--g-quiet', line: '--g-edge', accent: '--g-accent', soft: '--g-accent-soft', paper: '--g-paper', rule: '--g-rule', font: '--g-font' };

function draw() {
  const dense = window.devicePixelRatio || 1, styles = getComputedStyle(element);
  const look = Object.fromEntries(Object.entries(PROPERTIES).map(([key, name]) => [key, styles.getPropertyValue(name).trim()]));
  look.step = Array.from({ length: STEPS }, (_, i) => styles.getPropertyValue('--g-step-' + i).trim());
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, canvas.width / dense, canvas.height / dense);
  const near = new Set();
  if (hover !== null) for (const [a, b] of edges) if (a === hover || b === hover) { near.add(a); near.add(b); }
  const dim = path.size || hover !== null;
  for (const [a, b, kind] of edges) {
    const touched = hover !== null && (a === hover || b === hover);
    pen.globalAlpha = touched ? 1 : dim ? 0.16 : 0.62;
    pen.strokeStyle = pen.fillStyle = touched ? look.accent : look.line;
    pen.lineWidth = touched ? 2 : 1.1;
    line(byId.get(a), byId.get(b), kind);
  }
  /* The path has arrows of its own, which may pass over concepts that it leaves out. */
  pen.globalAlpha = 1;
  pen.strokeStyle = pen.fillStyle = look.accent;
  pen.lineWidth = 2;
  for (const [a, b, kind] of steps) if (byId.has(a) && byId.has(b)) line(byId.get(a), byId.get(b), kind);
  const big = asBoxes(), taken = [];
  const order = [...nodes].sort((a, b) => rank(b) - rank(a));
  const bright = (n) => (hover === null ? lit(n) : n.id === hover || near.has(n.id) || (path.size > 0 && lit(n)));
  for (const n of order) {
    pen.globalAlpha = bright(n) ? 1 : n.lead ? 0.45 : 0.25;
    if (n.lead) theme(n, look); else if (big) box(n, look); else dot(n, look);
  }
  if (!big) for (const n of nodes) {
    const [x, y] = middle(n);
    taken.push({ id: n.id, x0: x - 7, y0: y - 7, x1: x + 7, y1: y + 7 });
  }
  if (!big) for (const n of inTurn(order, look)) {
    pen.globalAlpha = bright(n) ? 1 : 0.25;
    label(n, look, taken);
  }
  if (view.loose && view.loose < nodes.length) apart(look);
  pen.globalAlpha = 1;
  canvas.dataset.drawn = String(nodes.length);
}

const rank = (n) => (n.id === hover ? 1e6 : 0) + (n.id === chosen ? 1e5 : 0) + (path.has(n.id) ? 1e4 : 0) + n.links;

function line(a, b, kind) {
  if (!a || !b) return;
  if (kind === 'prerequisite') return arrow(a, b);
  if (kind === 'helps') return arrow(a, b, [4, 4]);
  const [x0, y0] = middle(a), [x1, y1] = middle(b);
  pen.setLineDash(kind === 'broader' ? [7, 4] : [2, 4]);
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
  pen.setLineDash([]);
}

function arrow(a, b, dashes = []) {
  const half = (n) => (asBoxes() ? (high(n) / 2) * scale : 5), head = Math.max(3.2, 5.5 * Math.min(scale, 1));
  if (a.level === b.level && a.lead) return aside(a, b, head);
  const [x0, ya] = middle(a), [x1, yb] = middle(b), y0 = ya - half(a), y1 = yb + half(b) + 1;
  const bend = Math.max(10 * scale, (y0 - y1) * 0.45);
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.bezierCurveTo(x0, y0 - bend, x1, y1 + bend, x1, y1 + head);
  pen.setLineDash(dashes);
  pen.stroke();
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x1 - head * 0.7, y1 + head * 1.5);
  pen.lineTo(x1 + head * 0.7, y1 + head * 1.5);
  pen.fill();
}

/* Between themes of one row: from side to side where they are neighbours, else in a bow above. */
function aside(a, b, head) {
  const neighbours = Math.abs(nodes.indexOf(a) - nodes.indexOf(b)) === 1;
  const [x0, y0] = toScreen(a.x + (neighbours ? a.width : a.width * 0.75), a.y - (neighbours ? 0 : THEME.height / 2));
  const [x1, y1] = toScreen(b.x + (neighbours ? 0 : b.width * 0.25), b.y - (neighbours ? 0 : THEME.height / 2));
  pen.beginPath();
  pen.moveTo(x0, y0);
  if (neighbours) pen.lineTo(x1 - head, y1); else pen.bezierCurveTo(x0, y0 - 26 * scale, x1, y1 - 26 * scale, x1, y1 - head);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(x1 - (neighbours ? 1 : 0), y1 - (neighbours ? 0 : 1));
  if (neighbours) { pen.lineTo(x1 - head * 1.5, y1 - head * 0.7); pen.lineTo(x1 - head * 1.5, y1 + head * 0.7); }
  else { pen.lineTo(x1 - head * 0.7, y1 - head * 1.5); pen.lineTo(x1 + head * 0.7, y1 - head * 1.5); }
  pen.fill();
}

/* A dot's radius, in a box at scale 1: larger, the more concepts of the notes build on it. */
const size = (n) => 2.6 + 4 * Math.sqrt(n.dependants / Math.max(needed, 3));
const colour = (n, look) => (n.step < 0 ? look.quiet : look.step[n.step]);

/* A theme: its number and colour in study order, its name, and how much of it is known. */
function theme(n, look) {
  const [x, y] = toScreen(n.x, n.y), w = n.width * scale, h = THEME.height * scale, s = scale, up = y - h / 2;
  pen.beginPath();
  pen.roundRect(x, up, w, h, 11 * s);
  pen.fillStyle = look.paper;
  pen.fill();
  pen.strokeStyle = n.id === hover ? look.accent : colour(n, look);
  pen.lineWidth = n.id === hover ? 2.4 : 1.5;
  pen.stroke();
  pen.beginPath();
  pen.arc(x + 25 * s, y, 14 * s, 0, 7);
  pen.fillStyle = colour(n, look);
  pen.fill();
  pen.textBaseline = 'middle';
  pen.textAlign = 'center';
  pen.fillStyle = look.paper;
  pen.font = `650 ${13 * s}px ${look.font}`;
  pen.fillText(String(-n.id), x + 25 * s, y + 0.5);
  pen.textAlign = 'left';
  const room = w - 60 * s;
  pen.fillStyle = look.ink;
  pen.font = `620 ${14 * s}px ${look.font}`;
  /* A long name takes the line of what else is in the theme. */
  const [first, rest] = inTwo(n.label, room), second = rest || n.more.length;
  pen.fillText(first, x + 50 * s, y - (second ? 18 : 9) * s);
  if (rest) pen.fillText(rest, x + 50 * s, y);
  pen.fillStyle = look.quiet;
  pen.font = `${12 * s}px ${look.font}`;
  if (!rest && n.more.length) pen.fillText(short(n.more.join(', '), room), x + 50 * s, y);
  const told = `${n.concepts} concept${n.concepts === 1 ? '' : 's'}${n.known ? `, ${n.known} known` : ''}`;
  pen.fillText(told, x + 50 * s, y + (second ? 18 : 11) * s);
  if (!n.known) return;
  pen.fillStyle = look.soft;
  pen.fillRect(x + 12 * s, y + 27 * s, w - 24 * s, 2.5 * s);
  pen.fillStyle = look.accent;
  pen.fillRect(x + 12 * s, y + 27 * s, (w - 24 * s) * (n.known / n.concepts), 2.5 * s);
}

function box(n, look) {
  const [x, y] = toScreen(n.x, n.y), w = n.width * scale, h = BOX * scale;
  pen.beginPath();
  pen.roundRect(x, y - h / 2, w, h, h / 2);
  pen.fillStyle = n.id === chosen ? look.accent : known.has(n.id) ? look.soft : look.paper;
  pen.fill();
  const strong = n.id === chosen || n.id === hover;
  pen.strokeStyle = strong || path.has(n.id) ? look.accent : colour(n, look);
  pen.lineWidth = strong || path.has(n.id) ? 2.2 : 1.3;
  pen.stroke();
  pen.fillStyle = n.id === chosen ? look.paper : colour(n, look);
  if (known.has(n.id)) tick(x + 12 * scale, y, 4 * scale, n.id === chosen ? look.paper : look.accent);
  else {
    pen.beginPath();
    pen.arc(x + 12 * scale, y, size(n) * scale, 0, 7);
    pen.fill();
  }
  pen.fillStyle = n.id === chosen ? look.paper : known.has(n.id) ? look.quiet : look.ink;
  pen.font = `${FONT * scale}px ${look.font}`;
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.fillText(short(n.label, w - 30 * scale), x + 23 * scale, y + 0.5);
}

/* What is known has a tick where others have the dot of their step. */
function tick(x, y, r, colour) {
  pen.beginPath();
  pen.moveTo(x - r, y);
  pen.lineTo(x - r * 0.25, y + r * 0.75);
  pen.lineTo(x + r, y - r * 0.8);
  pen.strokeStyle = colour;
  pen.lineWidth = Math.max(1.6, r * 0.5);
  pen.stroke();
}

function dot(n, look) {
  const [x, y] = middle(n), r = Math.max(size(n), n.id === chosen || n.id === hover ? 6.5 : 0);
  pen.beginPath();
  pen.arc(x, y, r, 0, 7);
  pen.fillStyle = n.id === chosen || path.has(n.id) ? look.accent : known.has(n.id) ? look.paper : colour(n, look);
  pen.fill();
  if (known.has(n.id)) tick(x, y, 5, look.accent);
}

/* Beside the dot, above it and below it, where the view has room for the name; at its edge it moves inwards. */
function placesOf(n, words) {
  const [x, y] = middle(n), w = wide(words);
  const over = Math.max(2, Math.min(x - w / 2, canvas.clientWidth - w - 2));
  return [[x + 9, y], [x - 9 - w, y], [over, y - 15], [over, y + 15]]
    .map(([left, centre]) => ({ id: n.id, x0: left - 2, y0: centre - 7, x1: left + w + 2, y1: centre + 7 }))
    .filter((at) => at.x0 >= 0 && at.x1 <= canvas.clientWidth);
}

/* Of names that must stand, those with the fewest places are placed first. */
function inTurn(order, look) {
  pen.font = `400 11.5px ${look.font}`;
  const places = new Map(order.filter((n) => path.has(n.id)).map((n) => [n.id, placesOf(n, short(n.label, 150)).length]));
  const first = (n) => (n.id === hover || n.id === chosen ? 0 : 1 + (places.get(n.id) ?? 9));
  return [...order].sort((a, b) => first(a) - first(b));
}

/* A name stands beside its dot, or above it, where it covers neither another name nor a dot; else it waits for a zoom.
   What is on the path, and what is pointed at, is always named. */
function label(n, look, taken) {
  pen.font = `${n.id === chosen || n.id === hover ? 600 : 400} 11.5px ${look.font}`;
  const words = short(n.label, 150), places = placesOf(n, words);
  const free = places.find((at) => !taken.some((t) => t.id !== n.id && at.x0 < t.x1 && at.x1 > t.x0 && at.y0 < t.y1 && at.y1 > t.y0));
  const at = free || (n.id === hover || n.id === chosen || path.has(n.id) ? places[0] : null);
  if (!at) return;
  taken.push({ ...at, id: null });
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.lineWidth = 3.5;
  pen.strokeStyle = look.paper;
  pen.strokeText(words, at.x0 + 2, (at.y0 + at.y1) / 2);
  pen.fillStyle = look.ink;
  pen.fillText(words, at.x0 + 2, (at.y0 + at.y1) / 2);
}

/* The line above what has no known order, with its words at its beginning. */
function apart(look) {
  const top = Math.min(...nodes.filter((n) => n.level < 0).map((n) => n.y)), [, y] = toScreen(0, top - BOX);
  const words = 'Without a known order';
  pen.globalAlpha = 1;
  pen.font = `11.5px ${look.font}`;
  pen.fillStyle = look.quiet;
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.fillText(words, 14, y);
  pen.strokeStyle = look.rule;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(22 + wide(words), y);
  pen.lineTo(canvas.clientWidth - 12, y);
  pen.stroke();
}

const lengths = new Map();
function wide(words) {
  const key = pen.font + words;
  if (lengths.size > 4000) lengths.clear();
  if (!lengths.has(key)) lengths.set(key, pen.measureText(words).width);
  return lengths.get(key);
}

function short(words, width) {
  if (wide(words) <= width) return words;
  let n = words.length;
  while (n > 1 && wide(words.slice(0, n) + '…') > width) n--;
  return words.slice(0, n).trimEnd() + '…';
}

/* Words on one line or two, each cut off where it is too long. */
function inTwo(words, width) {
  const parts = words.split(' ');
  let n = parts.length;
  while (n > 1 && wide(parts.slice(0, n).join(' ')) > width) n--;
  return [parts.slice(0, n), parts.slice(n)].map((line) => short(line.join(' '), width));
}

/* ---- pointer ---- */
function under(x, y) {
  if (asBoxes()) {
    for (const n of nodes) {
      const [sx, sy] = toScreen(n.x, n.y);
      if (x >= sx && x <= sx + n.width * scale && Math.abs(y - sy) <= (high(n) * scale) / 2 + 2) return n.id;
    }
    return null;
  }
  let best = null, distance = 14;
  for (const n of nodes) {
    const [sx, sy] = middle(n), d = Math.hypot(x - sx, y - sy);
    if (d < distance) { distance = d; best = n.id; }
  }
  return best;
}

const held = new Map();
let travelled = 0, spread = 0, dragged = null;
const at = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };

canvas.addEventListener('pointerdown', (e) => {
  canvas.setPointerCapture(e.pointerId);
  held.set(e.pointerId, at(e));
  if (held.size === 1) travelled = 0;
  /* A finger moves the map, also where names fill it. */
  const on = held.size === 1 && e.pointerType !== 'touch' ? under(...at(e)) : null;
  dragged = on === null ? null : byId.get(on);
  spread = 0;
});
canvas.addEventListener('pointermove', (e) => {
  const [x, y] = at(e), before = held.get(e.pointerId);
  if (!before) return point(under(x, y));
  held.set(e.pointerId, [x, y]);
  travelled += Math.abs(x - before[0]) + Math.abs(y - before[1]);
  if (held.size === 2) {
    const [[ax, ay], [bx, by]] = [...held.values()], now = Math.hypot(ax - bx, ay - by);
    if (spread) zoom(now / spread, (ax + bx) / 2, (ay + by) / 2);
    spread = now;
  } else if (travelled > 4) {
    if (dragged) { dragged.x += (x - before[0]) / scale; dragged.y += (y - before[1]) / scale; }
    else { left += x - before[0]; top_ += y - before[1]; }
    moved = true;
    redraw();
  }
});
function point(now) {
  if (now === hover) return;
  hover = now;
  canvas.style.cursor = now === null ? 'grab' : 'pointer';
  canvas.title = now === null ? '' : byId.get(now).label;
  redraw();
}
const release = (e) => {
  const [x, y] = at(e), alone = held.size === 1;
  held.delete(e.pointerId);
  spread = 0;
  dragged = null;
  if (e.type === 'pointerup' && alone && travelled <= 4) {
    const id = under(x, y);
    if (id === null) clear(); else pick(byId.get(id));
  }
};
canvas.addEventListener('pointerup', release);
canvas.addEventListener('pointercancel', release);
canvas.addEventListener('pointerleave', () => point(null));
canvas.addEventListener('wheel', (e) => { e.preventDefault(); const [x, y] = at(e); zoom(Math.exp(-e.deltaY * 0.0015), x, y); }, { passive: false });
$('.gg-in').onclick = () => zoom(1.3);
$('.gg-out').onclick = () => zoom(1 / 1.3);
$('.gg-fit').onclick = () => { moved = false; resize(); };
$('.gg-all').onclick = () => { clear(); load({ about: '', back: null, from: '', to: '', open: [] }); };
$('.gg-around').onclick = () => load({ about: labelOf(chosen), back: null, from: '', to: '' }).then(() => showPath(chosen));

/* ---- choosing ---- */
const pick = (n) => (n.lead ? openTheme(n.lead) : choose(n.id));
const openTheme = (lead) => { clear(); return load({ open: [...want.open, lead] }); };

function forget() {
  chosen = null;
  shared.chosen = null;
  path = new Set();
  steps = [];
  after = new Set();
  element.dataset.path = '';
  $('.gg-around').hidden = true;
}

function clear() {
  forget();
  message.textContent = summary;
  mark();
  keepLink();
  redraw();
}

/* `stays`: the view is kept, even where it has not got the concept. */
async function choose(wanted, stays) {
  const found = typeof wanted === 'number' ? wanted : idOf(wanted);
  if (found === null) { message.textContent = `The notes have no concept '${wanted}'`; return; }
  chosen = found;
  shared.chosen = found;
  trigger('concept_chosen', { id: found });
  mark();
  redraw();
  await showPath(found, stays);
  keepLink();
}

async function showPath(found, stays) {
  if (found === null) return;
  mark();
  const told = await server.path(found);
  if (chosen !== found || told.error) return;
  learn(told.known);
  if (!byId.has(found) && !stays) {
    await load({ about: labelOf(found), back: null, from: '', to: '' });
    if (chosen !== found) return;
  }
  const within = view.kind === 'between' ? nodes.map((n) => n.id) : told.path;
  path = new Set(within);
  steps = view.kind === 'between' ? [] : told.edges;
  after = new Set(told.after);
  sayPath(found, told.path, told.edges.some(([, , kind]) => kind === 'helps'));
  const onPath = nodes.filter((n) => path.has(n.id));
  if (onPath.length && !onPath.every(inView)) { fit(onPath.length > 1 ? nodes.filter((n) => path.has(n.id) || after.has(n.id)) : nodes); moved = true; }
  redraw();
  element.dataset.path = told.path.join(',');
}

function sayPath(found, whole, unsure) {
  const n = whole.length - 1, here = whole.filter((id) => id !== found && byId.has(id)).length;
  const below = stage.closest('.gg').clientWidth < 640 ? '; its card is below' : '';
  const elsewhere = here < n ? `, ${here} of them here` : '';
  const told = n ? `${n} ${unsure ? 'that may help' : 'to learn'} before it${elsewhere}` : known.size ? 'nothing more to learn before it' : 'a foundation';
  message.textContent = `${labelOf(found)}${known.has(found) ? ', which you know' : ''}: ${told}${below}`;
  $('.gg-around').hidden = !n || found === about;
}

/* ---- what is known, and decisions on the card ---- */
function learn(ids) {
  known = new Set(ids);
  element.dataset.known = [...known].join(',');
  $('.gg-next').hidden = !known.size;
  drawLegend();
  redraw();
}

shared.mark = (label, on) => trigger('mark_set', { label, known: on });
shared.decide = (link, target, decision) => {
  const pair = new URLSearchParams(target);
  link.closest('#card').classList.add('g-busy');
  trigger('relation_decided', { first: pair.get('first'), then: pair.get('then'), decision });
};
shared.renew = async (everything) => {
  document.querySelector('#card')?.classList.remove('g-busy');
  document.querySelector('#card .g-said')?.scrollIntoView({ block: 'nearest' });
  const kept = { scale, left, top_, moved };
  if (everything) await readNames();
  if (everything || view.kind === 'themes' || want.known) {
    await load({});
    if (kept.moved) ({ scale, left, top_, moved } = kept);
  }
  if (chosen !== null) await showPath(chosen);
};
$('.gg-next').onclick = () => { clear(); trigger('concept_chosen', { id: null }); };

/* A newer generation of the store numbers its concepts anew: what is chosen is found again by its name. */
if (shared.stopGraph) shared.stopGraph.abort();
shared.stopGraph = new AbortController();
document.addEventListener('gradus-generation', async () => {
  const label = chosen === null ? null : labelOf(chosen);
  forget();
  if (!(await readNames())) return;
  await load({});
  if (label !== null && idOf(label) !== null) await choose(label, true);
}, { signal: shared.stopGraph.signal });

const inView = (n) => { const [x, y] = toScreen(n.x, n.y), box = stage.getBoundingClientRect(); return x > -4 && y > 0 && x + n.width * scale < box.width + 4 && y < box.height; };
const labelOf = (id) => named.get(id)[1];

function idOf(label) {
  const folded = String(label).trim().toLowerCase();
  const called = (name) => concepts.find((c) => c[1].toLowerCase() === name) || concepts.find((c) => c[2].toLowerCase().split(' · ').includes(name));
  /* A wikilink may name a file, "notes/03-skip-connection": its words then. */
  const spoken = folded.split('/').pop().replace(/\.(md|markdown|ipynb)$/, '').replace(/^\d+[-_. ]+/, '').replace(/[-_]+/g, ' ');
  const found = called(folded) || called(spoken);
  return found ? found[0] : null;
}

/* ---- loading ---- */
let asked = 0;
async function load(change) {
  want = { ...want, ...change };
  const mine = ++asked, told = await server.view(want);
  if (mine !== asked) return;
  if (told.error) return failed(told);
  element.classList.remove('gg-empty');
  view = told;
  ({ nodes, edges, about } = told);
  byId = new Map(nodes.map((n) => [n.id, n]));
  needed = Math.max(1, ...nodes.map((n) => n.dependants || 0));
  want.open = told.trail.map((one) => one.lead);
  if (chosen !== null && !byId.has(chosen)) forget();
  hover = null;
  moved = false;
  message.textContent = summary = told.message;
  learn(told.known);
  showAround();
  canvas.dataset.ready = '1';
  resize();
  keepLink();
}

function failed(told) {
  message.textContent = told.error;
  if (view.kind) return; // what is drawn stays
  element.classList.add('gg-empty');
  canvas.dataset.ready = '0';
  if (told.again) setTimeout(begin, 1000);
}

canvas.positionOf = (wanted) => {
  const n = byId.get(typeof wanted === 'number' ? wanted : idOf(wanted)), box = canvas.getBoundingClientRect();
  if (!n) return null;
  const [x, y] = middle(n);
  return { x: box.left + x, y: box.top + y };
};
canvas.sizeOf = (wanted) => size(byId.get(idOf(wanted)));
canvas.themes = () => nodes.filter((n) => n.lead).map((n) => {
  const [x, y] = middle(n), [edge] = toScreen(n.x, n.y), box = canvas.getBoundingClientRect();
  return { lead: n.lead, x: box.left + x, y: box.top + y, step: n.step, disc: [edge + 25 * scale, y - 10.5 * scale] };
});
