/* The Notes page. All that comes from notes, their names included, is set as text, never as HTML. */
const shared = (window.gradus = window.gradus || {});
if (shared.stopNotes) shared.stopNotes.abort();
shared.stopNotes = new AbortController();
const here = { signal: shared.stopNotes.signal };
const $ = (css) => element.querySelector(css);
const READ = /\.(md|markdown|mdx|qmd|rmd|ipynb)$/i, SHOWN = /\.(png|jpe?g|gif|webp|bmp|svg)$/i;
const AT_ONCE = 4, AGAIN_MS = 15000;

const made = (tag, css = '', text = '') => Object.assign(document.createElement(tag), { className: css, textContent: text });
function button(text, label, act, key) {
  const one = Object.assign(made('button', '', text), { type: 'button', onclick: act });
  if (label) one.setAttribute('aria-label', label);
  one.dataset.key = key || label;
  return one;
}
const count = (n, word) => `${n.toLocaleString()} ${word}${n === 1 ? '' : 's'}`;

/* ---- asking the server ---- */
async function ask(path, options = {}) {
  let reply;
  try { reply = await fetch(`notes/${path}`, { cache: 'no-store', ...options }); } catch (_) { throw new Error('Gradus does not answer. Is it still running?'); }
  const told = await reply.json().catch(() => null);
  if (!reply.ok) throw new Error(told?.error || (await told) || `refused (${reply.status})`);
  return told;
}
const fault = (words) => { $('.gn-fault').textContent = words; };
async function act(asked) {
  fault('');
  try {
    shared.takeWork(await ask('act', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(asked) }));
    shared.lookAtWork();
    return true;
  } catch (error) { fault(error.message); return false; }
}

/* ---- files that are dropped or chosen ---- */
async function below(entry) {
  if (entry.isFile) return [[entry.fullPath.slice(1), await new Promise((good, bad) => entry.file(good, bad))]];
  if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
  const reader = entry.createReader(), found = [];
  for (;;) {  // a reader gives a hundred at a time
    const some = await new Promise((good, bad) => reader.readEntries(good, bad));
    if (!some.length) return found;
    for (const one of some) found.push(...await below(one));
  }
}
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => [file.name, file]);
  return (await Promise.all(entries.map(below))).flat();
}

/* What is dropped beside notes and is none is not copied, which is said. */
function leftOut(files) {
  const kinds = new Map();
  for (const [path] of files) {
    const kind = /\.\w{1,8}$/.exec(path)?.[0].toLowerCase() || 'without a kind';
    kinds.set(kind, (kinds.get(kind) || 0) + 1);
  }
  const told = [...kinds].map(([kind, n]) => `${n} ${kind}`).join(', ');
  $('.gn-left').textContent = told && `Not copied: ${told}. Gradus does not read these kinds of files.`;
}

let copying = false;
async function copy(files) {
  if (copying || !files.length) return;
  fault('');
  const hidden = ([path]) => path.split('/').some((part) => part.startsWith('.'));
  const taken = ([path]) => READ.test(path) || SHOWN.test(path) || /(^|\/)gradus\.toml$/.test(path);
  const plain = files.filter((file) => !hidden(file)), wanted = plain.filter(taken);
  leftOut(plain.filter((file) => !taken(file)));
  if (!wanted.some(([path]) => READ.test(path))) return fault('None of these files is a note. Gradus reads Markdown (.md) and Jupyter notebooks (.ipynb).');
  copying = true;
  const collections = new Set(), faults = [], waiting = [...wanted];
  let done = 0;
  const say = () => drawWork({ what: 'Copying what you dropped', stages: [{ name: 'copying', done, total: wanted.length }], ended: false }, true);
  say();
  async function some() {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [path, file] = next;
      try { collections.add((await ask(`file?${new URLSearchParams({ name: path })}`, { method: 'PUT', body: file })).collection); } catch (error) { faults.push(error.message); }
      done += 1;
      say();
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  copying = false;
  if (collections.size) await act({ act: 'uploaded', collections: [...collections] });
  else show();
  if (faults.length) fault(`Not copied: ${faults.slice(0, 3).join('; ')}${faults.length > 3 ? `; and ${faults.length - 3} more` : ''}`);
}

const zone = $('.gn-drop');
const carries = (e) => [...(e.dataTransfer?.types || [])].includes('Files');
/* A file that misses the zone must not take the place of the page. */
document.addEventListener('dragover', (e) => { if (carries(e)) { e.preventDefault(); zone.classList.add('gn-over'); } }, here);
document.addEventListener('dragleave', (e) => { if (!e.relatedTarget) zone.classList.remove('gn-over'); }, here);
document.addEventListener('drop', async (e) => {
  if (!carries(e)) return;
  e.preventDefault();
  zone.classList.remove('gn-over');
  if (!element.isConnected || !element.offsetParent) return;
  try { await copy(await dropped(e.dataTransfer)); } catch (error) { fault(`What you dropped cannot be read: ${error.message}`); }
}, here);
for (const [pressed, picker] of [['.gn-files', '.gn-pick-files'], ['.gn-folder', '.gn-pick-folder']]) {
  $(pressed).onclick = () => $(picker).click();
  $(picker).onchange = async (e) => {
    const files = [...e.target.files].map((file) => [file.webkitRelativePath || file.name, file]);
    e.target.value = '';
    await copy(files);
  };
}

$('.gn-place').onsubmit = async (e) => {
  e.preventDefault();
  const place = $('#gn-path').value.trim();
  if (!place) return fault('Type the path of a folder or of a note.');
  if (await act({ act: 'read', place })) $('#gn-path').value = '';
};
$('.gn-starter').onclick = () => act({ act: 'starter' });
$('.gn-stop').onclick = () => act({ act: 'stop' });
$('.gn-ask').onclick = (e) => { e.preventDefault(); trigger('ask_place', {}); };

/* ---- what is under way ---- */
const STEPS = {
  copying: ['Copying', 'file'], 'reading notes': ['Reading', 'note'], 'loading the model that reads them': ['Loading the model that reads them', ''], encoding: ['Encoding', 'passage'],
  'finding concepts': ['Finding concepts', 'concept'], 'encoding names': ['Encoding names', 'name'], 'relating concepts': ['Relating concepts', ''],
};
function step(stage, isLast, ended) {
  const [words, unit] = STEPS[stage.name] || [stage.name, ''];
  const item = made('li', isLast && !ended ? 'gn-now' : 'gn-done');
  const many = unit && stage.total ? (stage.done < stage.total ? `${stage.done.toLocaleString()} of ${count(stage.total, unit)}` : count(stage.total, unit)) : '';
  item.append(made('span', 'gn-step', words), made('span', 'gn-much', many));
  if (isLast && !ended && stage.total > 1) item.append(Object.assign(document.createElement('progress'), { className: 'g-bar', max: stage.total, value: stage.done, ariaLabel: words }));
  return item;
}
function drawWork(doing, isCopy) {
  if (copying && !isCopy) return;
  const waiting = isCopy ? 0 : shared.work?.waiting || 0;
  $('.gn-work').hidden = !doing.what;
  $('.gn-what').textContent = doing.ended ? (doing.fault ? 'This did not work' : 'Done') : doing.what;
  $('.gn-stop').hidden = Boolean(doing.ended || isCopy);
  $('.gn-work').classList.toggle('gn-failed', Boolean(doing.fault));
  $('.gn-steps').replaceChildren(...doing.stages.map((stage, i) => step(stage, i === doing.stages.length - 1, doing.ended)));
  const said = doing.ended ? doing.fault || doing.said || '' : doing.elsewhere ? 'Another program is writing to this store; this continues when that is done.' : '';
  const queued = waiting ? `${count(waiting, 'more thing')} to do after this.` : '';
  const words = [said, queued].filter(Boolean).join(' ');
  if ($('.gn-said').textContent !== words) $('.gn-said').textContent = words;
  $('.gn-next').hidden = !doing.ended || Boolean(doing.fault) || !shared.work?.generation;
}

/* ---- where the notes come from ---- */
const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
function since(iso) {
  const s = (new Date(iso) - Date.now()) / 1000;
  if (Number.isNaN(s)) return '';
  const [unit, of] = [['day', 86400], ['hour', 3600], ['minute', 60]].find(([, of]) => -s >= of) || ['', 1];
  return unit ? ago.format(Math.ceil(s / of), unit) : 'just now';
}
const opened = new Map();  // by its key: what a reader opened, and the words in its box
function unfolding(key, title, fill) {
  const box = made('details', 'gn-more');
  const head = made('summary', '', title);
  head.dataset.key = key;
  const body = made('div', 'gn-more-body');
  box.append(head, body);
  box.ontoggle = () => {
    if (box.open) { opened.set(key, opened.get(key) || ''); if (!body.childElementCount) fill(body); } else opened.delete(key);
  };
  box.open = opened.has(key);
  return box;
}
function listed(rows) {
  const list = made('ul');
  list.append(...rows);
  return list;
}

/* Lines with what is wrong there: the first of so many. */
function failures(key, title, first, many) {
  return unfolding(key, title, (body) => {
    body.append(listed(first.map((f) => {
      const item = made('li', 'gn-failure');
      item.append(made('span', 'gn-name', `${f.note}, line ${f.line}`), made('span', 'gn-why', f.error));
      return item;
    })));
    if (many > first.length) body.append(made('p', 'g-quiet', `and ${many - first.length} more`));
  });
}

/* Asked for twice, at the same place. */
function removing(label, key, asked) {
  const one = button('Remove', `Remove ${label}`, async () => {
    if (!one.classList.contains('gn-sure')) {
      one.classList.add('gn-sure');
      one.textContent = 'Really?';
      one.setAttribute('aria-label', `Really remove ${label}`);
      return;
    }
    one.blur();
    $('#gn-list-title').focus();
    await act({ act: 'remove', ...asked });
  }, key);
  one.onblur = () => {
    one.classList.remove('gn-sure');
    one.textContent = 'Remove';
    one.setAttribute('aria-label', `Remove ${label}`);
  };
  return one;
}

/* A note is read where answers are, beside them. */
function opening(note) {
  const one = button(note, '', () => {
    trigger('ask_place', {});
    shared.openNote(`#note/${encodeURIComponent(note)}`);
  }, `open ${note}`);
  one.className = 'gn-name gn-open';
  return one;
}

function notesOf(origin) {
  const key = `notes ${origin.path}`;
  return unfolding(key, count(origin.notes, 'note'), (body) => {
    const words = Object.assign(made('input', 'gn-words'), { type: 'search', placeholder: 'Find a note', value: opened.get(key) || '', autocomplete: 'off' });
    words.setAttribute('aria-label', `Find a note of ${origin.name}`);
    words.dataset.key = `words ${origin.path}`;
    const list = made('ul'), more = made('p', 'g-quiet');
    let asked = 0, waiting = 0;
    const fill = async () => {
      const mine = ++asked;
      const found = await ask(`of?${new URLSearchParams({ origin: origin.path, words: words.value })}`).catch(() => null);
      if (!found || mine !== asked) return;
      list.replaceChildren(...found.notes.map((name) => {
        const item = made('li', 'gn-note');
        item.append(opening(name), removing(name, `remove ${origin.path} ${name}`, { origin: origin.path, note: name }));
        return item;
      }));
      more.textContent = found.found > found.notes.length ? `and ${found.found - found.notes.length} more; type part of a name to find them` : found.found ? '' : 'No note has these words in its name.';
    };
    words.oninput = () => { opened.set(key, words.value); clearTimeout(waiting); waiting = setTimeout(fill, 150); };
    words.hidden = origin.notes < 8;
    body.append(words, list, more);
    fill();
  });
}

function drawOrigin(origin, watching) {
  const box = made('article', 'gn-origin');
  const head = made('div', 'gn-head'), names = made('div', 'gn-names');
  names.append(made('h3', '', origin.name), made('p', 'gn-path g-quiet', origin.copy ? 'dropped on this page' : origin.path));
  const acts = made('div', 'gn-acts');
  if (watching && !origin.copy) {
    const label = made('label', 'gn-watch');
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: origin.watched });
    box.dataset.key = `watch ${origin.path}`;
    box.setAttribute('aria-label', `Watch ${origin.name}`);
    box.onchange = async () => { await act({ act: 'watch', origin: origin.path, on: box.checked }); show(); };
    label.append(box, made('span', '', 'Watch'));
    label.title = 'Read edits on its own, as soon as they are saved';
    acts.append(label);
  }
  acts.append(
    button('Read again', `Read again ${origin.name}`, () => act({ act: 'again', origin: origin.path })),
    removing(origin.name, `remove ${origin.path}`, { origin: origin.path }),
  );
  head.append(names, acts);
  box.append(head);
  const facts = made('p', 'gn-facts g-quiet');
  facts.textContent = origin.read ? `Read ${since(origin.read)}` : 'Read before';
  if (origin.read) facts.title = new Date(origin.read).toLocaleString();
  const since_ = [[origin.changed, 'changed'], [origin.gone, 'gone'], [origin.new, 'new']].filter(([n]) => n).map(([n, what]) => `${n} ${what}`).join(', ');
  box.append(facts);
  if (origin.fault) box.append(made('p', 'gn-since', `${origin.fault}. What was read from it stays until you remove it.`));
  else if (since_) box.append(made('p', 'gn-since', `Since then: ${since_} (${origin.which.join(', ')}${origin.changed + origin.gone + origin.new > origin.which.length ? ', …' : ''})`));
  const mores = made('div', 'gn-mores');
  if (origin.notes) mores.append(notesOf(origin));
  if (origin.failures) {
    mores.append(failures(`failed ${origin.path}`, `${count(origin.failures, 'note')} not read`, origin.failed, origin.failures));
  }
  const kinds = Object.entries(origin.left_out);
  if (kinds.length || origin.taken_out.length) {
    const many = kinds.reduce((sum, [, n]) => sum + n, origin.taken_out.length);
    mores.append(unfolding(`left ${origin.path}`, `${count(many, 'file')} left out`, (body) => {
      if (kinds.length) body.append(made('p', '', `${kinds.map(([kind, n]) => `${n} ${kind}`).join(', ')}: Gradus does not read these kinds of files.`));
      body.append(listed(origin.taken_out.map((note) => {
        const item = made('li', 'gn-note');
        item.append(made('span', 'gn-name', `${note.name}: you removed it`), button('Put back', `Put back ${note.name}`, () => act({ act: 'read', place: note.path })));
        return item;
      })));
    }));
  }
  if (mores.childElementCount) box.append(mores);
  return box;
}

let drawn = '';
function draw(view) {
  $('#gn-allowed').replaceChildren(...view.allowed.map((path) => Object.assign(document.createElement('option'), { value: path })));
  $('#gn-hint').textContent = `Gradus reads it where it is and never changes it. Folders it may read: ${view.allowed.join(', ')}.`;
  $('.gn-told').textContent = view.told;
  $('.gn').classList.toggle('gn-first', !view.origins.length);
  $('.gn').classList.add('gn-drawn');
  $('.gn-none').hidden = Boolean(view.origins.length);
  $('.gn-try').hidden = view.origins.some((origin) => origin.name === 'The starter notes');
  const now = JSON.stringify(view);
  if (now === drawn) return;
  drawn = now;
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  $('.gn-origins').replaceChildren(...view.origins.map((origin) => drawOrigin(origin, view.watching)));
  if (view.warned) $('.gn-origins').append(failures('warnings', `${count(view.warned, 'line')} could not be followed`, view.warnings, view.warned));
  if (key) [...element.querySelectorAll('[data-key]')].find((one) => one.dataset.key === key)?.focus();
}
let asked = 0;
async function show() {
  const mine = ++asked;
  const view = await ask('origins').catch((error) => { fault(error.message); return null; });
  if (view && mine === asked) draw(view);
}

let last = '';
function follow() {
  const { doing, generation } = shared.work;
  drawWork(doing, false);
  const now = `${generation} ${doing.number} ${doing.ended}`;
  if (now !== last) show();
  last = now;
}
document.addEventListener('gradus-work', follow, here);
if (shared.work) follow(); else show();
const again = setInterval(() => {
  if (!element.isConnected) clearInterval(again);
  else if (!document.hidden && element.offsetParent && !element.querySelector('.gn-sure')) show();
}, AGAIN_MS);
here.signal.addEventListener('abort', () => clearInterval(again));
