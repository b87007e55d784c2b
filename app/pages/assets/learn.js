/* The goal of a study path: suggested as it is typed, kept in the address, printed with the steps that stand below.
   Events for Python stand quoted here: 'goal_chosen', 'step_marked'. */
const $ = (selector) => element.querySelector(selector);
const shared = (window.gradus = window.gradus || {});
const goal = $('#gl-goal'), names = $('#gl-names'), told = $('.gl-told');

function keep(label, full) {
  shared.learning = { label, full };
  shared.learnLink = `#learn?${new URLSearchParams(full ? { goal: label, full: '1' } : { goal: label })}`;
  if (element.offsetParent || location.hash.startsWith('#learn')) history.replaceState(history.state, '', location.pathname + location.search + shared.learnLink);
}

let asked = 0;
async function learn(wanted, full) {
  const mine = ++asked, found = await server.goals(wanted);
  if (mine !== asked) return; // another was chosen meanwhile
  if (!found.labels?.length || found.close) { told.textContent = found.error || `The notes have no concept '${wanted}'`; goal.focus(); return; }
  told.textContent = '';
  goal.value = found.labels[0];
  keep(found.labels[0], Boolean(full));
  trigger('goal_chosen', { label: found.labels[0], full: Boolean(full) });
}
shared.learn = (target) => learn(target.replace(/\?full$/, ''), target.endsWith('?full'));
shared.markStep = (label, known) => trigger('step_marked', { label, known, goal: shared.learning?.label || '', full: Boolean(shared.learning?.full) });
shared.followLearn = (hash) => {
  const said = new URLSearchParams(hash.replace(/^#learn\??/, ''));
  if (said.get('goal')) return learn(said.get('goal'), said.get('full') === '1');
  return trigger('goal_chosen', { label: '', full: false });
};

goal.addEventListener('input', async () => {
  const typed = goal.value.trim(), found = typed ? await server.goals(typed) : { labels: [] };
  if (goal.value.trim() !== typed || !found.labels) return;
  names.replaceChildren(...found.labels.map((label) => Object.assign(document.createElement('option'), { value: label })));
});
$('form').addEventListener('submit', (e) => { e.preventDefault(); learn(goal.value.trim()); });

/* What was chosen stands as newer notes have it; without a goal, what they offer. */
if (shared.stopLearn) shared.stopLearn.abort();
shared.stopLearn = new AbortController();
document.addEventListener('gradus-generation', () => trigger('goal_chosen', { label: '', full: false, ...shared.learning }), { signal: shared.stopLearn.signal });

/* On paper all answers are shown, under their questions. */
$('.gl-print').onclick = () => window.print();
let opened = [];
window.addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('#path details:not([open])')];
  for (const one of opened) one.open = true;
});
window.addEventListener('afterprint', () => { for (const one of opened) one.open = false; });

shared.followLearn(location.hash.startsWith('#learn') ? location.hash : shared.learnLink || '');
