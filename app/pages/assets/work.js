/* What the server is doing, asked again and again: one line above every place, and an event for those that show more.
   A newer generation of the store tells Python ('store_changed') and the document ('gradus-generation'). */
const shared = (window.gradus = window.gradus || {});
if (shared.stopWork) shared.stopWork.abort();
shared.stopWork = new AbortController();
const OFTEN_MS = 700, SELDOM_MS = 4000;
const line = element.querySelector('.g-doing');
let asking = 0, generation = null, told = null, gone = false;

shared.takeWork = (work) => {
  shared.work = work;
  if (line.textContent !== work.line) line.textContent = work.line;
  // A page without notes, and with none coming, opens on the place where they are added.
  if (told === null && !work.generation && !work.line) document.querySelector('#notes-place-button')?.click();
  // What an empty conversation shows depends on both.
  const now = `${work.generation} ${work.line}`;
  if (told !== null && told !== now) trigger('store_changed', {});
  told = now;
  if (generation !== null && generation !== work.generation) document.dispatchEvent(new CustomEvent('gradus-generation'));
  generation = work.generation;
  document.dispatchEvent(new CustomEvent('gradus-work'));
};

async function look() {
  clearTimeout(asking);
  let often = false;
  if (!document.hidden) {
    try {
      const reply = await fetch('notes/work', { cache: 'no-store', signal: AbortSignal.timeout(20000) });
      if (reply.ok) shared.takeWork(await reply.json());
      if (gone) gone = !(await shared.answers?.());
    } catch (_) { gone = !(await shared.answers?.()); }
    often = Boolean(shared.work && (shared.work.line || shared.work.waiting || !shared.work.doing.ended));
  }
  if (!shared.stopWork.signal.aborted) asking = setTimeout(look, often ? OFTEN_MS : SELDOM_MS);
}
shared.lookAtWork = look;
document.addEventListener('visibilitychange', look, { signal: shared.stopWork.signal });
shared.stopWork.signal.addEventListener('abort', () => clearTimeout(asking));
look();
