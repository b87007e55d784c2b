/* What stands around the canvas of graph.js, whose names it uses: the list and its search, the same view as a list, filters,
   the path between two, how far back, opened themes, and the address that brings a view back. */
const list = $('.gg-list'), search = $('.gg-search'), listed = $('.gg-listed'), LISTED = 300;
const KIND = { prerequisite: 'needed for', helps: 'may help with', broader: 'part of', related: 'related to' };

function made(tag, words, more) {
  const it = document.createElement(tag);
  if (words !== undefined) it.textContent = words;
  return Object.assign(it, more || {});
}
const button = (words, act, more) => made('button', words, { type: 'button', onclick: act, ...more });

/* ---- every concept by name ---- */
let most = LISTED;
async function fill() {
  const wanted = search.value.trim();
  const found = wanted ? await server.find(wanted) : { ids: concepts.map((c) => c[0]), close: false };
  if (search.value.trim() !== wanted || found.error) return; // more was typed meanwhile
  const items = [];
  if (found.close) items.push(made('li', found.ids.length ? 'No concept of that name; close to it:' : 'No concept of that name', { className: 'g-quiet' }));
  for (const id of found.ids.slice(0, most)) if (named.has(id)) items.push(entry(named.get(id)));
  const left = found.ids.length - most;
  if (left > 0) items.push(further(left));
  list.replaceChildren(...items);
  mark();
}

function entry([id, label, also]) {
  const item = made('li'), it = button(label, () => choose(id), { title: also ? `also: ${also}` : label });
  it.dataset.id = id;
  item.append(it);
  return item;
}

/* The list says what it leaves out, and gives it. */
function further(left) {
  const item = made('li');
  item.append(button(`Show ${Math.min(left, LISTED)} more of ${left}`, async () => {
    const at = list.children.length - 1;
    most += LISTED;
    await fill();
    list.children[at].firstChild.focus();
  }, { className: 'gg-further' }));
  return item;
}

function mark() {
  for (const it of element.querySelectorAll('.gg-list button, .gg-listed button[data-id]')) {
    const on = Number(it.dataset.id) === chosen;
    it.setAttribute('aria-current', on ? 'true' : 'false');
    if (on && list.contains(it)) { const a = it.offsetTop, b = list.scrollTop; if (a < b || a > b + list.clientHeight - 30) list.scrollTop = a - list.clientHeight / 2; }
  }
}

search.addEventListener('input', () => { most = LISTED; list.scrollTop = 0; fill(); });
search.addEventListener('keydown', async (e) => {
  if (e.key !== 'Enter' && e.key !== 'ArrowDown') return;
  e.preventDefault();
  await toldNames;
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

/* ---- what the map shows, as a list ---- */
let asList = false;
$('.gg-as-list').onclick = () => { showList(!asList); keepLink(); if (asList) listed.focus(); };
function showList(on) {
  asList = on;
  $('.gg-as-list').textContent = on ? 'Map' : 'List';
  stage.hidden = $('.gg-foot').hidden = on;
  listed.hidden = !on;
  if (on) drawList(); else resize();
  drawLegend();
}

function drawList() {
  if (!asList) return;
  const parts = view.kind === 'themes' ? [themeList()] : levels().flatMap(([name, some]) => [made('h4', name), conceptList(some)]);
  listed.replaceChildren(...parts);
  mark();
}

function themeList() {
  const items = made('ol');
  for (const n of nodes) {
    const item = made('li'), first = edges.filter(([, b]) => b === n.id).map(([a]) => -a);
    item.append(button(n.label, () => openTheme(n.lead).then(() => listed.focus())));
    const told = [n.more.join(', '), `${n.concepts} concepts`, n.known ? `${n.known} known` : '', first.length ? `builds on ${first.join(', ')}` : ''];
    item.append(made('span', told.filter(Boolean).join('; '), { className: 'g-quiet' }));
    items.append(item);
  }
  return items;
}

function levels() {
  const found = new Map();
  for (const n of [...nodes].sort((a, b) => (a.level < 0) - (b.level < 0) || a.level - b.level || a.x - b.x)) {
    const name = n.level < 0 ? 'Without a known order' : n.level ? `Step ${n.level + 1}` : 'Foundations';
    found.set(name, [...(found.get(name) || []), n]);
  }
  return [...found];
}

function conceptList(some) {
  const items = made('ul');
  for (const n of some) {
    const item = made('li'), it = button(`${known.has(n.id) ? '✓ ' : ''}${n.label}`, () => choose(n.id)), told = [];
    it.dataset.id = n.id;
    for (const [kind, words] of Object.entries(KIND)) {
      const ends = edges.filter((e) => e[2] === kind && (kind === 'broader' ? e[1] : e[0]) === n.id).map((e) => (kind === 'broader' ? e[0] : e[1]));
      if (ends.length) told.push(`${words} ${ends.map((id) => byId.get(id).label).join(', ')}`);
    }
    item.append(it, made('span', told.join('; '), { className: 'g-quiet' }));
    items.append(item);
  }
  return items;
}

/* ---- opened themes, colours ---- */
function drawTrail() {
  const trail = $('.gg-trail'), parts = [];
  const back = (depth) => () => { clear(); load({ open: want.open.slice(0, depth) }); };
  view.trail.forEach((one, i) => {
    parts.push(button(i ? view.trail[i - 1].lead : 'All themes', back(i)), made('span', '›', { ariaHidden: 'true' }));
    if (i === view.trail.length - 1) parts.push(made('b', `${one.number} ${one.lead}`));
  });
  const aside = (lead) => () => { clear(); load({ open: [...want.open.slice(0, -1), lead] }); };
  const [before, next] = view.beside;
  if (before) parts.push(button('‹ before', aside(before), { title: before }));
  if (next) parts.push(button('next ›', aside(next), { title: next }));
  trail.replaceChildren(...parts);
  trail.hidden = !parts.length;
}

function drawLegend() {
  const parts = [], told = (words, css) => parts.push(made('span', words, { className: css || 'gg-told' }));
  const last = Math.max(0, ...nodes.map((n) => n.step));
  if (view.kind === 'themes') told('Study order from the lower left; a click opens a theme.', 'gg-hint');
  else if (last > 0 && view.kind !== 'between') {
    const ramp = made('span', undefined, { className: 'gg-ramp', ariaHidden: 'true' });
    for (let i = 0; i < STEPS; i++) ramp.append(made('i', undefined, { style: `background:var(--g-step-${i})` }));
    told('foundations', 'gg-hint');
    parts.push(ramp);
    told('what builds on them; arrows lead to what needs them', 'gg-hint');
    told('larger dot: more concepts build on it', 'gg-hint');
  }
  if (edges.some((e) => e[2] === 'broader')) told('- - part of', 'gg-hint');
  if (edges.some((e) => e[2] === 'related')) told('··· related', 'gg-hint');
  if (known.size) told('✓ you know');
  legend.replaceChildren(...parts);
}

/* ---- how far back ---- */
const farther = $('#gg-back');
function showAround() {
  $('.gg-all').hidden = !(about !== null || view.kind === 'between');
  $('.gg-back').hidden = about === null || view.deepest < 2;
  farther.max = String(view.deepest || 1);
  farther.value = String(Math.min(view.back || 0, view.deepest || 0));
  sayBack();
  drawTrail();
  drawFilter();
  drawList();
}
function sayBack() {
  const n = Number(farther.value);
  const words = n === 0 ? 'its study path' : n >= view.deepest ? `all ${n} steps` : n === 1 ? '1 step' : `${n} steps`;
  $('.gg-back output').textContent = words;
  farther.setAttribute('aria-valuetext', words);
}
let sliding = 0;
farther.addEventListener('input', () => {
  sayBack();
  clearTimeout(sliding);
  sliding = setTimeout(() => load({ back: Number(farther.value) || null }).then(() => showPath(chosen)), 120);
});

/* ---- filters ---- */
const filter = $('.gg-filter'), kinds = [...element.querySelectorAll('[name="gg-kind"]')];
const choices = { sure: $('.gg-sure'), note: $('.gg-note'), known: $('.gg-known') };
function drawFilter() {
  for (const box of kinds) box.checked = want.kinds.includes(box.value);
  for (const [name, field] of Object.entries(choices)) field.value = want[name];
  const n = (want.kinds.join() === 'prerequisite' ? 0 : 1) + ['sure', 'note', 'known'].filter((name) => want[name]).length;
  filter.querySelector('summary').textContent = n ? `Filter (${n})` : 'Filter';
}
const again = () => load({}).then(() => { if (chosen !== null && byId.has(chosen)) return showPath(chosen); });
for (const box of kinds) box.onchange = () => { want.kinds = kinds.filter((one) => one.checked).map((one) => one.value); again(); };
for (const [name, field] of Object.entries(choices)) field.onchange = () => { want[name] = field.value; again(); };
$('.gg-reset').onclick = () => { want = { ...want, kinds: ['prerequisite'], sure: '', note: '', known: '' }; again(); };

/* ---- the path between two ---- */
const way = $('.gg-way');
for (const [field, names] of [['.gg-from', '#gg-names-from'], ['.gg-to', '#gg-names-to']]) {
  $(field).addEventListener('input', async () => {
    const typed = $(field).value.trim(), found = typed ? await server.find(typed) : { ids: [] };
    if ($(field).value.trim() !== typed || !found.ids) return;
    $(names).replaceChildren(...found.ids.slice(0, 12).filter((id) => named.has(id)).map((id) => made('option', undefined, { value: labelOf(id) })));
  });
}
way.querySelector('form').addEventListener('submit', async (e) => {
  e.preventDefault();
  const ends = [];
  for (const field of ['.gg-from', '.gg-to']) {
    const found = await server.find($(field).value.trim());
    if (!found.ids?.length || found.close) { message.textContent = `The notes have no concept '${$(field).value.trim()}'`; $(field).focus(); return; }
    ends.push(labelOf(found.ids[0]));
  }
  way.open = false;
  forget();
  await load({ about: '', back: null, from: ends[0], to: ends[1] });
  way.querySelector('summary').focus();
});
const menus = [...element.querySelectorAll('.gg-menu')];
for (const menu of menus) {
  menu.addEventListener('toggle', () => { if (menu.open) for (const other of menus) if (other !== menu) other.open = false; });
  menu.addEventListener('keydown', (e) => {
    if (e.key !== 'Escape' || !menu.open) return;
    e.preventDefault();
    menu.open = false;
    menu.querySelector('summary').focus();
  });
}
element.addEventListener('pointerdown', (e) => { for (const menu of menus) if (!menu.contains(e.target)) menu.open = false; });

/* ---- the address of a view ---- */
function keepLink() {
  if (!stage.closest('.gg').clientWidth || !view.kind) return; // another place is shown
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(want)) {
    if (name === 'open') for (const lead of value) said.append('open', lead);
    else if (name === 'kinds') { if (value.join() !== 'prerequisite') said.set('kinds', value.join()); }
    else if (value) said.set(name, String(value));
  }
  if (chosen !== null) said.set('concept', labelOf(chosen));
  if (asList) said.set('list', '1');
  shared.graphLink = `#graph${said.size ? '?' : ''}${said}`;
  if (location.hash !== shared.graphLink) history.replaceState(history.state, '', location.pathname + location.search + shared.graphLink);
}
shared.keepGraphLink = keepLink;

function readLink(hash) {
  const said = new URLSearchParams(hash.replace(/^#graph\??/, '')), kinds = said.get('kinds');
  const text = (name) => said.get(name) || '';
  const read = { about: text('about'), back: Number(text('back')) || null, from: text('from'), to: text('to'), note: text('note'), sure: text('sure'), known: text('known') };
  return { ...EVERYTHING, ...read, open: said.getAll('open'), kinds: kinds === null ? ['prerequisite'] : kinds.split(',') };
}

async function follow(hash) {
  const concept = new URLSearchParams(hash.replace(/^#graph\??/, '')).get('concept');
  forget();
  showList(/[?&]list=1/.test(hash));
  want = { ...EVERYTHING };
  await load(readLink(hash));
  if (!view.kind) return load({ ...EVERYTHING });
  if (concept) await choose(concept, true);
}
shared.followGraph = follow;

$('.gg-link').onclick = async () => {
  keepLink();
  let copied = true;
  await navigator.clipboard?.writeText(location.href).catch(() => { copied = false; });
  message.textContent = copied && navigator.clipboard ? 'The link to this view is copied' : 'Copy the address of this page: it is the link to this view';
};

/* ---- start ---- */
async function readNames() {
  const told = await server.names();
  if (told.error) return failed(told);
  concepts = told.concepts;
  named = new Map(concepts.map((c) => [c[0], c]));
  choices.note.replaceChildren(made('option', 'all notes', { value: '' }), ...told.notes.map((name) => made('option', name, { value: name })));
  fill();
  return true;
}

/* A link elsewhere may have asked for a concept before this page was shown. */
function takeWanted() {
  const wanted = shared.wanted;
  if (wanted === null || wanted === undefined || !canvas.dataset.ready || !concepts.length) return;
  shared.wanted = null;
  choose(wanted);
}

async function begin() {
  const hash = location.hash.startsWith('#graph?') ? location.hash : shared.graphLink || '';
  if (hash) {
    if (await toldNames) await follow(hash);
  } else {
    await load({});
    await toldNames;
    takeWanted();
  }
  if (known.size && chosen === null) trigger('concept_chosen', { id: null });
}
new ResizeObserver(resize).observe(stage);
new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ['class'] });
shared.choose = choose;
const toldNames = readNames();
begin();
