/* The canvas of concepts: draws what the server placed, moves the view, and tells the page which concept is chosen.
   Events for Python stand quoted here: 'concept_chosen', 'mark_set', 'relation_decided'. */
const $ = (selector) => element.querySelector(selector);
const stage = $('.gg-stage'), canvas = $('canvas'), pen = canvas.getContext('2d');
const list = $('.gg-list'), search = $('.gg-search'), message = $('.gg-message'), legend = $('.gg-legend');
const BOX = 26, FONT = 13, READABLE = 0.72, LISTED = 300;
const shared = (window.gradus = window.gradus || {});

let nodes = [], edges = [], byId = new Map(), concepts = [], themes = [], about = null, summary = '';
let scale = 1, left = 0, top_ = 0, moved = false, dirty = false;
let hover = null, chosen = null, path = new Set(), steps = [], after = new Set(), theme = null, known = new Set();

/* ---- view ---- */
const css = (name) => getComputedStyle(element).getPropertyValue(name).trim();
const toScreen = (x, y) => [x * scale + left, y * scale + top_];
const middle = (n) => toScreen(n.x + n.width / 2, n.y);

function resize() {
  const box = stage.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
  if (!box.width) return;
  canvas.width = Math.round(box.width * dense);
  canvas.height = Math.round(box.height * dense);
  canvas.style.width = box.width + 'px';
  canvas.style.height = box.height + 'px';
  if (!moved) fit();
  redraw();
  takeWanted();
}

/* A link elsewhere may have asked for a concept before this page was shown. */
function takeWanted() {
  const wanted = shared.wanted;
  if (wanted === null || wanted === undefined || !canvas.dataset.ready) return;
  shared.wanted = null;
  choose(wanted);
}

function fit(only) {
  const some = only && only.length ? only : nodes;
  if (!some.length) return;
  const box = stage.getBoundingClientRect(), wide = box.width - 28, high = box.height - 56;
  const x0 = Math.min(...some.map((n) => n.x)), x1 = Math.max(...some.map((n) => n.x + n.width));
  const y0 = Math.min(...some.map((n) => n.y)), y1 = Math.max(...some.map((n) => n.y));
  scale = Math.min(wide / (x1 - x0), high / (y1 - y0 || 1), 1.25);
  left = (box.width - (x1 + x0) * scale) / 2;
  top_ = 8 + (box.height - (y1 + y0) * scale) / 2;
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
const lit = (n) => (chosen === null || !path.size ? (theme === null || n.theme === theme) : path.has(n.id) || after.has(n.id));

function draw() {
  const dense = window.devicePixelRatio || 1;
  const look = { ink: css('--g-ink'), quiet: css('--g-quiet'), line: css('--g-edge'), accent: css('--g-accent'), soft: css('--g-accent-soft'), paper: css('--g-paper') };
  const colours = Array.from({ length: 9 }, (_, i) => css('--g-theme-' + i));
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, canvas.width / dense, canvas.height / dense);
  const near = new Set();
  if (hover !== null) for (const [a, b] of edges) if (a === hover || b === hover) { near.add(a); near.add(b); }
  for (const [a, b] of edges) {
    const touched = hover !== null && (a === hover || b === hover);
    pen.globalAlpha = touched ? 1 : path.size || hover !== null ? 0.16 : 0.62;
    pen.strokeStyle = pen.fillStyle = touched ? look.accent : look.line;
    pen.lineWidth = touched ? 2 : 1.1;
    arrow(byId.get(a), byId.get(b));
  }
  /* The path has arrows of its own, which may pass over concepts that it leaves out. */
  pen.globalAlpha = 1;
  pen.strokeStyle = pen.fillStyle = look.accent;
  pen.lineWidth = 2;
  for (const [a, b] of steps) if (byId.has(a) && byId.has(b)) arrow(byId.get(a), byId.get(b));
  const big = scale >= READABLE, taken = [];
  const order = [...nodes].sort((a, b) => rank(b) - rank(a));
  for (const n of order) {
    pen.globalAlpha = lit(n) || n.id === hover || near.has(n.id) ? 1 : 0.22;
    if (big) box(n, look, colours); else dot(n, look, colours);
  }
  if (!big) for (const n of nodes) {
    const [x, y] = middle(n);
    taken.push({ id: n.id, x0: x - 6, y0: y - 6, x1: x + 6, y1: y + 6 });
  }
  if (!big) for (const n of order) {
    pen.globalAlpha = lit(n) || n.id === hover ? 1 : 0.22;
    label(n, look, taken);
  }
  pen.globalAlpha = 1;
  canvas.dataset.drawn = String(nodes.length);
}

const rank = (n) => (n.id === hover ? 1e6 : 0) + (n.id === chosen ? 1e5 : 0) + (path.has(n.id) ? 1e4 : 0) + n.links;

function arrow(a, b) {
  const half = scale >= READABLE ? (BOX / 2) * scale : 5;
  const [x0, ya] = middle(a), [x1, yb] = middle(b), y0 = ya - half, y1 = yb + half + 1;
  const bend = Math.max(10 * scale, (y0 - y1) * 0.45), head = Math.max(3.2, 5.5 * Math.min(scale, 1));
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.bezierCurveTo(x0, y0 - bend, x1, y1 + bend, x1, y1 + head);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x1 - head * 0.7, y1 + head * 1.5);
  pen.lineTo(x1 + head * 0.7, y1 + head * 1.5);
  pen.fill();
}

function box(n, look, colours) {
  const [x, y] = toScreen(n.x, n.y), w = n.width * scale, h = BOX * scale;
  pen.beginPath();
  pen.roundRect(x, y - h / 2, w, h, h / 2);
  pen.fillStyle = known.has(n.id) ? look.soft : look.paper;
  pen.fill();
  const strong = n.id === chosen || n.id === hover;
  if (n.id === chosen) { pen.fillStyle = look.accent; pen.fill(); }
  pen.strokeStyle = strong || path.has(n.id) ? look.accent : colours[n.theme];
  pen.lineWidth = strong || path.has(n.id) ? 2.2 : 1.3;
  pen.stroke();
  pen.fillStyle = n.id === chosen ? look.paper : colours[n.theme];
  if (known.has(n.id)) tick(x + 12 * scale, y, 4 * scale, n.id === chosen ? look.paper : look.accent);
  else {
    pen.beginPath();
    pen.arc(x + 12 * scale, y, 3.8 * scale, 0, 7);
    pen.fill();
  }
  pen.fillStyle = n.id === chosen ? look.paper : known.has(n.id) ? look.quiet : look.ink;
  pen.font = `${FONT * scale}px ${css('--g-font')}`;
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.fillText(short(n.label, w - 27 * scale), x + 20 * scale, y + 0.5);
}

/* What is known has a tick where others have the dot of their theme. */
function tick(x, y, r, colour) {
  pen.beginPath();
  pen.moveTo(x - r, y);
  pen.lineTo(x - r * 0.25, y + r * 0.75);
  pen.lineTo(x + r, y - r * 0.8);
  pen.strokeStyle = colour;
  pen.lineWidth = Math.max(1.6, r * 0.5);
  pen.stroke();
}

function dot(n, look, colours) {
  const [x, y] = middle(n), r = n.id === chosen || n.id === hover ? 6.5 : Math.min(5.5, 2.8 + Math.sqrt(n.links) * 0.7);
  pen.beginPath();
  pen.arc(x, y, r, 0, 7);
  pen.fillStyle = n.id === chosen || path.has(n.id) ? look.accent : known.has(n.id) ? look.paper : colours[n.theme];
  pen.fill();
  if (known.has(n.id)) tick(x, y, 5, look.accent);
}

/* A name stands beside its dot, or above it, where it covers neither another name nor a dot; else it waits for a zoom. */
function label(n, look, taken) {
  pen.font = `${n.id === chosen || n.id === hover ? 600 : 400} 11.5px ${css('--g-font')}`;
  const [x, y] = middle(n), words = short(n.label, 150), w = pen.measureText(words).width;
  const places = [[x + 9, y], [x - 9 - w, y], [x - w / 2, y - 13]]
    .map(([left, centre]) => ({ id: n.id, x0: left - 2, y0: centre - 7, x1: left + w + 2, y1: centre + 7 }))
    .filter((at) => at.x0 >= 0 && at.x1 <= canvas.clientWidth);
  const free = places.find((at) => !taken.some((t) => t.id !== n.id && at.x0 < t.x1 && at.x1 > t.x0 && at.y0 < t.y1 && at.y1 > t.y0));
  const at = free || (n.id === hover || n.id === chosen ? places[0] : null);
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

function short(words, width) {
  if (pen.measureText(words).width <= width) return words;
  let n = words.length;
  while (n > 1 && pen.measureText(words.slice(0, n) + '…').width > width) n--;
  return words.slice(0, n).trimEnd() + '…';
}

/* ---- pointer ---- */
function under(x, y) {
  if (scale >= READABLE) {
    for (const n of nodes) {
      const [sx, sy] = toScreen(n.x, n.y);
      if (x >= sx && x <= sx + n.width * scale && Math.abs(y - sy) <= (BOX * scale) / 2 + 2) return n.id;
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
let travelled = 0, spread = 0;
const at = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };

canvas.addEventListener('pointerdown', (e) => {
  canvas.setPointerCapture(e.pointerId);
  held.set(e.pointerId, at(e));
  if (held.size === 1) travelled = 0;
  spread = 0;
});
canvas.addEventListener('pointermove', (e) => {
  const [x, y] = at(e), before = held.get(e.pointerId);
  if (!before) {
    const now = under(x, y);
    if (now !== hover) { hover = now; canvas.style.cursor = now === null ? 'grab' : 'pointer'; canvas.title = now === null ? '' : byId.get(now).label; redraw(); }
    return;
  }
  held.set(e.pointerId, [x, y]);
  travelled += Math.abs(x - before[0]) + Math.abs(y - before[1]);
  if (held.size === 2) {
    const [[ax, ay], [bx, by]] = [...held.values()], now = Math.hypot(ax - bx, ay - by);
    if (spread) zoom(now / spread, (ax + bx) / 2, (ay + by) / 2);
    spread = now;
  } else if (travelled > 4) {
    left += x - before[0];
    top_ += y - before[1];
    moved = true;
    redraw();
  }
});
const release = (e) => {
  const [x, y] = at(e), alone = held.size === 1;
  held.delete(e.pointerId);
  spread = 0;
  if (e.type === 'pointerup' && alone && travelled <= 4) {
    const id = under(x, y);
    if (id === null) clear(); else choose(id);
  }
};
canvas.addEventListener('pointerup', release);
canvas.addEventListener('pointercancel', release);
canvas.addEventListener('pointerleave', () => { if (hover !== null) { hover = null; redraw(); } });
canvas.addEventListener('wheel', (e) => { e.preventDefault(); const [x, y] = at(e); zoom(Math.exp(-e.deltaY * 0.0015), x, y); }, { passive: false });
$('.gg-in').onclick = () => zoom(1.3);
$('.gg-out').onclick = () => zoom(1 / 1.3);
$('.gg-fit').onclick = () => { moved = false; fit(); redraw(); };
$('.gg-all').onclick = () => { clear(); load(null); };

/* ---- choosing ---- */
function clear() {
  message.textContent = summary;
  chosen = null;
  shared.chosen = null;
  path = new Set();
  steps = [];
  after = new Set();
  mark();
  redraw();
}

async function choose(wanted) {
  const found = typeof wanted === 'number' ? wanted : idOf(wanted);
  if (found === null) { message.textContent = `The notes have no concept '${wanted}'`; return; }
  chosen = found;
  shared.chosen = found;
  trigger('concept_chosen', { id: found });
  await showPath(found);
}

async function showPath(found) {
  mark();
  const view = await server.path(found);
  if (chosen !== found || view.error) return;
  learn(view.known);
  if (!byId.has(found) && view.path.length + view.after.length < 2) {
    path = new Set();
    steps = [];
    after = new Set();
    message.textContent = 'The chosen concept has no known prerequisites and is not on the map; its card has what the notes say';
    element.dataset.path = '';
    redraw();
    return;
  }
  if (!byId.has(found) || view.path.some((id) => !byId.has(id))) await load(found);
  path = new Set(view.path);
  steps = view.edges;
  after = new Set(view.after);
  const n = view.path.length - 1, below = stage.closest('.gg').clientWidth < 640 ? '; its card is below' : '';
  const told = n ? `${n} to learn before it` : known.size ? 'nothing more to learn before it' : 'a foundation';
  message.textContent = `${labelOf(found)}${known.has(found) ? ', which you know' : ''}: ${told}${below}`;
  const onPath = nodes.filter((n) => path.has(n.id));
  if (!moved || !onPath.every(inView)) { fit(onPath.length > 1 ? nodes.filter((n) => path.has(n.id) || after.has(n.id)) : nodes); moved = true; }
  redraw();
  element.dataset.path = view.path.join(',');
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
  if (everything) {
    await load(about);
    if (kept.moved) ({ scale, left, top_, moved } = kept);
  }
  if (chosen !== null) await showPath(chosen);
};
$('.gg-next').onclick = () => { clear(); trigger('concept_chosen', { id: null }); };

const inView = (n) => { const [x, y] = toScreen(n.x, n.y), box = stage.getBoundingClientRect(); return x > 0 && y > 0 && x + n.width * scale < box.width && y < box.height; };

const labelOf = (id) => concepts.find((c) => c[0] === id)[1];

function idOf(label) {
  const folded = String(label).trim().toLowerCase();
  const named = (name) => concepts.find((c) => c[1].toLowerCase() === name) || concepts.find((c) => c[2].toLowerCase().split(' · ').includes(name));
  /* A wikilink may name a file, "notes/03-skip-connection": its words then. */
  const spoken = folded.split('/').pop().replace(/\.(md|markdown|ipynb)$/, '').replace(/^\d+[-_. ]+/, '').replace(/[-_]+/g, ' ');
  const found = named(folded) || named(spoken);
  return found ? found[0] : null;
}

/* ---- list, legend ---- */
let most = LISTED;
async function fill() {
  const wanted = search.value.trim();
  const found = wanted ? await server.find(wanted) : { ids: concepts.map((c) => c[0]), close: false };
  if (search.value.trim() !== wanted || found.error) return; // more was typed meanwhile
  const named = new Map(concepts.map((c) => [c[0], c])), items = [];
  if (found.close) items.push(line(found.ids.length ? 'No concept of that name; close to it:' : 'No concept of that name'));
  for (const id of found.ids.slice(0, most)) if (named.has(id)) items.push(entry(named.get(id)));
  const left = found.ids.length - most;
  if (left > 0) items.push(further(left));
  list.replaceChildren(...items);
  mark();
}

function line(words) {
  const item = document.createElement('li');
  item.className = 'g-quiet';
  item.textContent = words;
  return item;
}

function entry([id, label, also]) {
  const item = document.createElement('li'), button = document.createElement('button');
  button.type = 'button';
  button.textContent = label;
  button.title = also ? `also: ${also}` : label;
  button.dataset.id = id;
  button.onclick = () => choose(id);
  item.append(button);
  return item;
}

/* The list says what it leaves out, and gives it. */
function further(left) {
  const item = document.createElement('li'), button = document.createElement('button');
  button.type = 'button';
  button.className = 'gg-further';
  button.textContent = `Show ${Math.min(left, LISTED)} more of ${left}`;
  button.onclick = async () => {
    const at = list.children.length - 1;
    most += LISTED;
    await fill();
    list.children[at].firstChild.focus();
  };
  item.append(button);
  return item;
}

function mark() {
  for (const button of list.querySelectorAll('button')) {
    const on = Number(button.dataset.id) === chosen;
    button.setAttribute('aria-current', on ? 'true' : 'false');
    if (on) { const a = button.offsetTop, b = list.scrollTop; if (a < b || a > b + list.clientHeight - 30) list.scrollTop = a - list.clientHeight / 2; }
  }
}

search.addEventListener('input', () => { most = LISTED; list.scrollTop = 0; fill(); });
search.addEventListener('keydown', async (e) => {
  if (e.key !== 'Enter' && e.key !== 'ArrowDown') return;
  e.preventDefault();
  await fill(); // for what stands in the box now
  const first = list.querySelector('button');
  if (e.key === 'ArrowDown') first?.focus();
  else if (first) choose(Number(first.dataset.id));
});
list.addEventListener('keydown', (e) => {
  if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
  e.preventDefault();
  const item = e.target.closest('li'), next = e.key === 'ArrowDown' ? item.nextElementSibling : item.previousElementSibling;
  if (next && next.firstChild.focus) next.firstChild.focus(); else if (e.key === 'ArrowUp') search.focus();
});

function drawLegend() {
  legend.replaceChildren(...themes.map((name, i) => {
    const button = document.createElement('button'), spot = document.createElement('span');
    button.type = 'button';
    spot.className = 'gg-spot';
    spot.style.background = `var(--g-theme-${i})`;
    button.append(spot, name);
    button.setAttribute('aria-pressed', String(theme === i));
    button.onclick = () => { clear(); theme = theme === i ? null : i; drawLegend(); redraw(); };
    return button;
  }));
  if (known.size) {
    const told = document.createElement('span');
    told.className = 'gg-told';
    told.textContent = '✓ you know';
    legend.append(told);
  }
  legend.hidden = themes.length < 2 && !known.size;
}

/* ---- start ---- */
async function load(id) {
  const view = await server.view(id);
  if (view.error) { message.textContent = view.error; element.classList.add('gg-empty'); canvas.dataset.ready = '0'; if (view.again) setTimeout(load, 1000, id); return; }
  element.classList.remove('gg-empty');
  ({ nodes, edges, themes, concepts, about } = view);
  byId = new Map(nodes.map((n) => [n.id, n]));
  theme = null;
  message.textContent = summary = view.message;
  $('.gg-all').hidden = about === null;
  learn(view.known);
  fill();
  moved = false;
  canvas.dataset.ready = '1';
  resize();
}

canvas.positionOf = (wanted) => {
  const n = byId.get(typeof wanted === 'number' ? wanted : idOf(wanted)), box = canvas.getBoundingClientRect();
  if (!n) return null;
  const [x, y] = middle(n);
  return { x: box.left + x, y: box.top + y };
};
new ResizeObserver(resize).observe(stage);
new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ['class'] });
shared.choose = choose;
load(null).then(() => {
  if (shared.chosen !== null && shared.chosen !== undefined && chosen === null) choose(shared.chosen);
  else if (known.size && chosen === null) trigger('concept_chosen', { id: null });
});
