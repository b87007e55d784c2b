/* Keys that lead to the places and their fields from anywhere, and the list of them. */
const shared = (window.gradus = window.gradus || {});
if (shared.stopKeys) shared.stopKeys.abort();
shared.stopKeys = new AbortController();
const dialog = element.querySelector('dialog');

/* Each place, with the field that one begins with there. */
const PLACES = {
  Ask: '#question textarea',
  Graph: '#gg-search',
  Learn: '#gl-goal',
  Runs: '#recipe input:checked',
  Notes: '#gn-path',
};
const tabs = () => [...document.querySelectorAll('#places [role="tab"]')];
const tabOf = (place) => tabs().find((tab) => tab.textContent.trim() === place);
const shown = () => tabs().find((tab) => tab.getAttribute('aria-selected') === 'true')?.textContent.trim();

function go(place) {
  const tab = tabOf(place);
  tab?.click();
  tab?.focus();
}
const begin = (place) => document.querySelector(PLACES[place])?.focus();

/* In a field a sign is what one types. */
const FIELDS = 'input:not([type="radio"], [type="checkbox"], [type="range"]), textarea, select, [contenteditable="true"]';

function act(e) {
  const own = e.ctrlKey || e.metaKey;
  if (own && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 'k') {
    go('Ask');
    requestAnimationFrame(() => begin('Ask'));
    return true;
  }
  const digit = /^Digit([1-5])$/.exec(e.code);
  if (e.altKey && !own && !e.shiftKey && digit) return go(Object.keys(PLACES)[digit[1] - 1]) || true;
  if (own || e.altKey || e.target.closest?.(FIELDS)) return false;
  if (e.key === '/') return begin(shown()) || true;
  if (e.key === '?') return dialog.showModal() || true;
  return false;
}
document.addEventListener('keydown', (e) => {
  if (!e.isComposing && !document.querySelector('dialog[open]') && act(e)) e.preventDefault();
}, { signal: shared.stopKeys.signal });

document.addEventListener('click', (e) => {
  if (e.target.closest?.('.g-keys')) dialog.showModal();
}, { signal: shared.stopKeys.signal });
element.querySelector('.gk-close').onclick = () => dialog.close();
dialog.addEventListener('click', (e) => { if (e.target === dialog) dialog.close(); });
