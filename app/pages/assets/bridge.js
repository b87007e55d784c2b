/* What the links of ours do, wherever they stand: in an answer, on a card, in the history.
   Events for Python stand quoted here: 'ask_link', 'stop_link', 'run_link', 'past_link', 'graph_link', 'learn_link', 'hear_link'. */
const shared = (window.gradus = window.gradus || {});
if (shared.stop) shared.stop.abort();
shared.stop = new AbortController();

/* Whether the server is there; when it is not, one line says so, and nothing that was typed is lost. */
async function answers() {
  let there = false;
  try {
    there = (await fetch('gradio_api/app_id', { cache: 'no-store', signal: AbortSignal.timeout(20000) })).ok;
  } catch (_) { /* it is not there */ }
  const line = there ? '' : 'Gradus does not answer. Is it still running? What you typed stays in the box.';
  const told = document.querySelector('.g-gone');
  if (told.textContent !== line) told.textContent = line;
  return there;
}

shared.answers = answers;

/* What stands in the box, and what stood there when the page was left. */
const box = () => document.querySelector('#question textarea');
function write(text) {
  box().value = text;
  box().dispatchEvent(new Event('input', { bubbles: true }));
}
/* Gradio may close its connection on an event that comes just as the one before it ends; what that gives is kept at the
   server until there is a connection again, which any other event opens. */
const HEARD_MS = 2500, HEARD_TIMES = 4;
let due = 0, last = 0;  // questions that will stand there when all that were asked in a row have come; when the last was
function ask(asked) {
  const shown = () => document.querySelectorAll('#chat [data-testid="user"]').length;
  due = Math.max(shown(), Date.now() - last < HEARD_MS ? due : 0) + 1;
  last = Date.now();
  const own = due;
  trigger('ask_link', asked);
  const hear = (left) => setTimeout(() => {
    if (!left || shown() >= own || own < due) return;
    trigger('hear_link', {});
    hear(left - 1);
  }, HEARD_MS);
  hear(asked.again ? 1 : HEARD_TIMES);  // what is asked again takes the place of what stood there
}
let sending = false;
async function send() {
  const question = box().value;
  if (sending || !question.trim()) return;
  sending = true;
  const there = await answers();
  sending = false;
  if (!there) return;
  if (box().value === question) write('');
  ask({ question, again: Boolean(shared.again) });
  shared.cancel?.();
}
shared.write = (text) => { write(text); box().focus(); };
shared.ask = async (asked) => { if (await answers()) ask(asked); };
/* Not by Gradio's events, which stand still while its connection is lost. */
function sends(e) {
  const asks = e.type === 'click' ? e.target.closest?.('#question button') : e.target === box() && e.key === 'Enter';
  if (!asks || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  e.stopPropagation();
  send();
}
for (const kind of ['click', 'keydown']) document.addEventListener(kind, sends, { capture: true, signal: shared.stop.signal });
window.addEventListener('pagehide', () => {
  try { sessionStorage.setItem('gradus-typed', box().value); } catch (_) { /* private windows keep nothing */ }
}, { signal: shared.stop.signal });
const keepAddress = (hash) => history.replaceState(history.state, '', location.pathname + location.search + hash);
/* The address says which place is shown, and what of it: a link brings it back. */
const PLACES = { graph: () => shared.followGraph?.(location.hash), learn: () => shared.followLearn?.(location.hash) };
function follow(change) {
  const [, place] = /^#([a-z]+)(?:\?|$)/.exec(location.hash) || [];
  if (!(place in PLACES)) return;
  if (place === 'graph') trigger('graph_link', { label: '' }); else trigger('learn_link', {});
  if (change) PLACES[place]();  // a place that is shown for the first time reads it itself
}
window.addEventListener('hashchange', follow, { signal: shared.stop.signal });
document.addEventListener('click', (e) => {
  const tab = e.target.closest?.('#places [role="tab"]');
  if (!tab) return;
  const place = tab.textContent.trim().toLowerCase(), kept = shared[`${place}Link`] || '';
  keepAddress(place in PLACES ? kept || `#${place}` : '');
}, { signal: shared.stop.signal });

shared.begun = () => {
  follow(null);
  try {
    const typed = sessionStorage.getItem('gradus-typed');
    if (typed && !box().value) write(typed);
  } catch (_) { /* as above */ }
};

/* What is drawn anew takes the focus with it: it then goes to the card, or to the new question above its answer. */
let leads = false;
function leadFocus(element) {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

async function act(link) {
  const [, kind, rest] = /^#([a-z]+)\/(.*)$/.exec(link.getAttribute('href')) || [];
  if (!kind) return;
  const target = decodeURIComponent(rest);
  const onGraph = link.closest('#card'), onPath = link.closest('#path');
  if (!(await answers())) return;
  if (kind === 'cite') return shared.openNote(shared.sourceOf(link, target)?.getAttribute('href') || '', link);
  if (kind === 'note') return shared.openNote(link.getAttribute('href'), link);
  if (onPath && (kind === 'know' || kind === 'forget' || kind === 'learn')) leadFocus(document.querySelector('#path'));
  if (onGraph && kind !== 'ask' && kind !== 'run') leadFocus(document.querySelector('#card'));
  leads = kind === 'ask' || (kind === 'concept' && !onGraph);
  if (kind === 'ask') ask({ question: target });
  else if (kind === 'concept' && !onGraph) ask({ question: `What is ${target}?` });
  else if (kind === 'concept') shared.choose(target);
  else if (kind === 'graph') { shared.wanted = target; trigger('graph_link', { label: target }); }
  else if (kind === 'learn') { shared.learnLink = `#learn?${new URLSearchParams({ goal: target })}`; keepAddress(shared.learnLink); if (shared.learn) shared.learn(target); trigger('learn_link', {}); }
  else if (kind === 'know' || kind === 'forget') (onPath ? shared.markStep : shared.mark)(target, kind === 'know');
  else if (kind === 'right' || kind === 'wrong' || kind === 'undo') shared.decide(link, target, kind);
  else if (kind === 'stop') trigger('stop_link', {});
  else if (kind === 'run') trigger('run_link', { recipe: target });
  else if (kind === 'past') trigger('past_link', { id: target });
}

document.addEventListener('click', (e) => {
  const link = e.target.closest && e.target.closest('a.g-link');
  if (!link) return;
  e.preventDefault();
  e.stopPropagation();
  act(link);
}, { capture: true, signal: shared.stop.signal });

/* Below the form, on a small screen, an opened run would stand unseen. */
document.addEventListener('click', (e) => {
  if (!e.target.closest || !e.target.closest('a.g-link[href^="#past/"]')) return;
  setTimeout(() => {
    const view = document.querySelector('#run-view');
    if (view && view.getBoundingClientRect().top > window.innerHeight * 0.6) view.scrollIntoView({ behavior: 'smooth' });
    else document.querySelector('#run-state')?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }, 250);
}, { capture: true, signal: shared.stop.signal });

document.addEventListener('click', (e) => {
  const button = e.target.closest && e.target.closest('.g-theme');
  if (!button) return;
  const dark = !document.body.classList.contains('dark');
  try { localStorage.setItem('gradus-theme', dark ? 'dark' : 'light'); } catch (_) { /* private windows keep nothing */ }
  document.body.classList.toggle('dark', dark);  // theme.js has the rest
}, { signal: shared.stop.signal });

/* A new question goes to the top of the view, so that its answer is read from the start while it is written. */
let asked = 0, settle = 0;
function followQuestion() {
  const questions = document.querySelectorAll('#chat [data-testid="user"]');
  if (questions.length !== asked) {
    if (questions.length > asked) {
      settle = Date.now() + 2500;
      if (leads) leadFocus(questions[questions.length - 1]);
      leads = false;
    }
    asked = questions.length;
  }
  const last = questions[questions.length - 1], box = document.querySelector('#chat .panel-wrap');
  if (last && box && Date.now() < settle) box.scrollTop += last.getBoundingClientRect().top - box.getBoundingClientRect().top - 14;
}
for (const kind of ['wheel', 'touchstart', 'keydown', 'pointerdown']) {
  document.addEventListener(kind, () => { settle = 0; }, { capture: true, passive: true, signal: shared.stop.signal });
}

/* The chat repeats each message's source in its label; a screen reader would read the markup aloud. */
function quietLabels() {
  for (const spoken of document.querySelectorAll('[data-testid="bot"][aria-label], [data-testid="user"][aria-label]')) {
    const who = spoken.dataset.testid === 'bot' ? 'Answer' : 'Question';
    if (spoken.getAttribute('aria-label') !== who) spoken.setAttribute('aria-label', who);
  }
}
new MutationObserver(() => { quietLabels(); followQuestion(); }).observe(document.body, { subtree: true, childList: true, characterData: true });
