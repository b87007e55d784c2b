/* The note beside an answer: opens at the cited lines, which glow; and the cited words where a number is pointed at. */
const $ = (selector) => element.querySelector(selector);
const shared = (window.gradus = window.gradus || {});
if (shared.stopBeside) shared.stopBeside.abort();
shared.stopBeside = new AbortController();
const here = { signal: shared.stopBeside.signal };
const side = $('.g-beside'), page = $('.g-page');
const asset = (name) => new URL(`assets/${name}`, document.baseURI).href;
const narrow = () => window.matchMedia('(max-width: 1000px)').matches;

let from = null, trail = [], glowing = [], turned = false, asked = 0;

/* ---- opening ---- */
function read(href) {
  const [, name, query] = /^#note\/([^?]*)\??(.*)$/.exec(href) || [];
  if (name === undefined) return null;
  const said = new URLSearchParams(query), number = (key) => (said.has(key) ? Number(said.get(key)) : null);
  return { note: decodeURIComponent(name), cell: number('cell'), first: number('first'), last: number('last'), said: said.get('said') };
}

shared.openNote = async (href, link) => {
  const wanted = read(href), mine = ++asked;
  if (!wanted) return;
  const view = await server.note(wanted).catch(() => null);
  if (!view || mine !== asked) return;
  const within = link && side.contains(link);
  trail = within ? [...trail, href] : [href];
  if (!within) from = link ? { link, href: link.getAttribute('href'), words: link.textContent } : null;
  const before = !within && link ? link.getBoundingClientRect().top : null;
  side.hidden = false;
  keepInSight(link, before);
  show(view, wanted);
};

/* The chat grows narrower: what was clicked stays where it was, or, above a sheet, within sight. */
function keepInSight(link, before) {
  const scroller = document.querySelector('#chat .panel-wrap');
  if (before === null || !scroller) return;
  const now = link.getBoundingClientRect().top, least = scroller.getBoundingClientRect().top + 24;
  const most = side.getBoundingClientRect().top - 60;
  const aim = narrow() ? Math.max(least, Math.min(before, most)) : before;
  scroller.scrollTop += now - aim;
}

function show(view, wanted) {
  $('.g-beside-title').textContent = view.title;
  $('.g-beside-place').textContent = view.place;
  $('.g-beside-told').textContent = view.told;
  $('.g-beside-back').hidden = trail.length < 2;
  const open = $('.g-beside-open');
  open.hidden = !view.open;
  if (view.open) {
    open.href = view.open;
    open.textContent = `Open in ${view.editor}`;
  }
  page.innerHTML = view.html;  // written by the server, which passes on no element of the note's own
  page.scrollTop = 0;
  turned = false;
  for (const link of page.querySelectorAll('a:not([href])')) link.replaceWith(...link.childNodes);
  glow(view.root ? page.querySelector(`#${view.root}`) : page, view.first, view.last);
  toGlowing();
  $('.g-beside-title').focus({ preventScroll: true });
  drawFormulas();
  fetchPictures(wanted.note);
}

async function close() {
  if (side.hidden) return;
  const link = from && (from.link.isConnected ? from.link : sameLink());
  const before = link ? link.getBoundingClientRect().top : null;
  side.hidden = true;
  asked++;
  page.replaceChildren();
  glowing = [];
  if (window.CSS?.highlights) CSS.highlights.delete('g-cited');
  if (link) {
    const scroller = document.querySelector('#chat .panel-wrap');
    if (scroller) scroller.scrollTop += link.getBoundingClientRect().top - before;
  }
  (link || document.querySelector('#question textarea'))?.focus({ preventScroll: true });
}
shared.closeNote = close;

/* While an answer is written, the chat draws its links anew. */
const sameLink = () => [...document.querySelectorAll('#chat a.g-link')].reverse()
  .find((a) => a.getAttribute('href') === from.href && a.textContent === from.words);

$('.g-beside-close').addEventListener('click', close);
$('.g-beside-back').addEventListener('click', () => {
  trail.pop();
  const href = trail.pop(), wanted = read(href), mine = ++asked;
  server.note(wanted).then((view) => {
    if (!view || mine !== asked) return;
    trail.push(href);
    show(view, wanted);
  });
});
document.addEventListener('keydown', (e) => {
  if (e.key !== 'Escape' || e.defaultPrevented) return;
  if (!tip.hidden) hideTip();
  else close();
}, here);

/* ---- the cited lines ---- */
const span = (block) => block.dataset.lines.split('-').map(Number);
function glow(root, first, last) {
  glowing = [];
  const ranges = [];
  if (root && first) {
    const meets = [...root.querySelectorAll('[data-lines]')].filter((b) => span(b)[0] <= last && span(b)[1] >= first);
    for (const block of meets.filter((b) => !meets.some((other) => other !== b && b.contains(other)))) {
      const part = window.CSS?.highlights && cited(block, first, last);
      if (part) ranges.push(part);
      block.classList.add(part ? 'g-holds' : 'g-glow');
      glowing.push(part || block);
    }
  }
  if (!glowing.length && root && root !== page) glowing.push(root);
  if (window.CSS?.highlights) CSS.highlights.set('g-cited', new Highlight(...ranges));
}

/* Of a paragraph over several lines the cited ones alone; null where that is all of it. */
function cited(block, first, last) {
  const [from, to] = span(block);
  if (first <= from && last >= to) return null;
  const at = (line) => block.querySelector(`[data-line="${line}"]`);
  const start = first > from ? at(first) : null, end = last < to ? at(last + 1) : null;
  if (!start && !end) return null;
  const range = new Range();
  range.selectNodeContents(block);
  if (start) range.setStartAfter(start);
  if (end) range.setEndBefore(end);
  return range;
}

function toGlowing() {
  if (!glowing.length) return;
  const box = page.getBoundingClientRect();
  page.scrollTop += glowing[0].getBoundingClientRect().top - box.top - box.height * 0.22;
}
for (const kind of ['wheel', 'touchstart', 'pointerdown', 'keydown']) page.addEventListener(kind, () => { turned = true; }, { passive: true });

window.addEventListener('resize', () => { if (!side.hidden && !turned) toGlowing(); }, here);

/* ---- formulas and pictures ---- */
let katex = null;
async function drawFormulas() {
  const formulas = [...page.querySelectorAll('.g-math')];
  if (!formulas.length) return;
  if (!katex) {
    const look = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: asset('KATEX.css') });
    document.head.append(look);
    katex = import(asset('KATEX.js')).then((module) => module.default);
  }
  const draw = await katex.catch(() => null);
  for (const formula of draw ? formulas : []) {
    // Bounds, as the formulas are not ours: what is too large or too deep stays as it is written.
    draw.render(formula.textContent, formula, { displayMode: formula.classList.contains('g-display'), throwOnError: false, maxSize: 20, maxExpand: 300, strict: false, trust: false });
  }
  if (!turned) toGlowing();
}

function fetchPictures(note) {
  const seen = new IntersectionObserver(async (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      const held = await server.picture({ note, picture: target.dataset.picture }).catch(() => '');
      if (held) target.src = held;
    }
  }, { root: page, rootMargin: '900px' });
  for (const picture of page.querySelectorAll('img')) {
    picture.addEventListener('load', () => { if (!turned) toGlowing(); });
    if (picture.dataset.picture) seen.observe(picture);
  }
}

/* ---- the cited words, where a number is pointed at ---- */
document.querySelector('#g-tip')?.remove();
const tip = Object.assign(document.createElement('div'), { id: 'g-tip', hidden: true });
tip.setAttribute('role', 'tooltip');
document.body.append(tip);
shared.sourceOf = (link, n) => [...((link.closest('.message') || link.closest('.prose'))?.querySelectorAll('a.g-source') || [])]
  .find((source) => source.querySelector('.g-n')?.textContent === n);

function hideTip() {
  tip.hidden = true;
  document.querySelector('[aria-describedby="g-tip"]')?.removeAttribute('aria-describedby');
}
function showTip(e) {
  const link = e.target.closest?.('#chat a.g-ref');
  const source = link && shared.sourceOf(link, link.textContent.trim());
  if (!source) return hideTip();
  const words = (css) => Object.assign(document.createElement('span'), { className: css, textContent: source.querySelector(`.${css}`)?.textContent || '' });
  tip.replaceChildren(words('g-quote'), words('g-where'));
  tip.hidden = false;
  link.setAttribute('aria-describedby', 'g-tip');
  const at = link.getBoundingClientRect(), box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(at.left - 20, window.innerWidth - box.width - 8))}px`;
  tip.style.top = `${at.top > box.height + 12 ? at.top - box.height - 7 : at.bottom + 7}px`;
}
for (const kind of ['mouseover', 'focusin']) document.addEventListener(kind, showTip, here);
for (const kind of ['click', 'scroll', 'focusout']) document.addEventListener(kind, hideTip, { ...here, capture: true });
