/* Chooses a file or folder of this machine for a field; the server says what there is to see. */
const shared = (window.gradus = window.gradus || {});
const part = (css) => element.querySelector(css);
const dialog = part('dialog'), list = part('.gp-list'), words = part('.gp-words'), use = part('.gp-use');
let box = null, code = false, path = '', asked = 0, waiting = 0;

function choose(value) {
  box.value = value;
  box.dispatchEvent(new Event('input', { bubbles: true }));
  dialog.close();
}
function open(entry) {
  if (entry.kind === 'folder' || (code && entry.kind === 'file')) { words.value = ''; return look(entry.path, true); }
  return choose(entry.path);
}
function line(entry) {
  const item = document.createElement('li'), made = document.createElement('button');
  made.type = 'button';
  made.className = `gp-${entry.kind}`;
  made.textContent = entry.name;
  made.onclick = () => open(entry);
  item.append(made);
  return item;
}
async function look(wanted, leads = false) {
  const mine = (asked += 1);
  let found;
  try { found = await server.list_places({ path: wanted, words: words.value, code }); } catch (_) { return; }
  if (mine !== asked) return;  // something else was asked for since
  path = found.path;
  part('.gp-path').textContent = path || 'This machine';
  part('.gp-fault').textContent = found.fault;
  part('.gp-up').disabled = found.above === null;
  part('.gp-up').onclick = () => { words.value = ''; look(found.above, true); };
  use.hidden = code;
  use.disabled = !path;
  list.replaceChildren(...found.entries.map(line));
  const none = found.entries.length || found.fault ? '' : 'Nothing here to choose.';
  part('.gp-told').textContent = found.more ? `${found.more} more; type part of the name` : none;
  list.scrollTop = 0;
  if (leads) (list.querySelector('button') ?? words).focus();
}

/* The field's id; what stands in it is where one begins. */
shared.choose = (id, label, isCode) => {
  box = document.querySelector(`#${CSS.escape(id)} :is(input, textarea)`);
  code = isCode;
  words.value = '';
  part('h2').textContent = `Choose: ${label}`;
  list.replaceChildren();
  dialog.showModal();
  look(code ? box.value.replace(/:[^:/\\]*$/, '') : box.value, true);
};
dialog.addEventListener('close', () => box?.focus());
part('.gp-close').onclick = () => dialog.close();
use.onclick = () => choose(path);
words.oninput = () => { clearTimeout(waiting); waiting = setTimeout(() => look(path), 150); };
dialog.addEventListener('click', (e) => { if (e.target === dialog) dialog.close(); });
dialog.addEventListener('keydown', (e) => {
  const all = [...list.querySelectorAll('button')], now = all.indexOf(document.activeElement);
  const steps = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: all.length - 1 };
  if (e.key === 'Backspace' && (document.activeElement !== words || !words.value) && !part('.gp-up').disabled) part('.gp-up').click();
  else if (e.key in steps && (now >= 0 || e.key.startsWith('Arrow')) && all.length) all[Math.max(0, Math.min(all.length - 1, steps[e.key]))].focus();
  else return;
  e.preventDefault();
});
