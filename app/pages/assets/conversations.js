/* The list of conversations. Events for Python stand quoted here: 'open_link', 'list_link'. */
const shared = (window.gradus = window.gradus || {});
const part = (css) => element.querySelector(css);
const list = part('.gc'), words = part('.gc-words');
const asked = () => ({ words: words.value });
let saved = null, waiting = 0;

function button(text, label, act) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.setAttribute('aria-label', label);
  made.onclick = act;
  return made;
}

function close() {
  list.open = false;
  part('summary').focus();
}
function open(detail) {
  shared.cancel();
  close();
  trigger('open_link', { ...asked(), ...detail });
}

/* The name becomes a box; Enter gives the name, Escape leaves it. */
function rename(item, row) {
  const input = document.createElement('input');
  input.value = row.name;
  input.setAttribute('aria-label', `New name of ${row.name}`);
  input.maxLength = 80;
  input.onkeydown = (e) => {
    if (e.key === 'Enter') { words.focus(); trigger('list_link', { ...asked(), act: 'rename', id: row.id, name: input.value }); }
    else if (e.key === 'Escape') { e.stopPropagation(); draw(); words.focus(); }
  };
  item.firstChild.replaceWith(input);
  input.focus();
  input.select();
}

/* Asked for twice, at the same place. */
function remove(e, row) {
  const pressed = e.currentTarget;
  if (pressed.classList.contains('gc-sure')) { words.focus(); return trigger('open_link', { ...asked(), act: 'remove', id: row.id }); }
  pressed.classList.add('gc-sure');
  pressed.textContent = 'Really?';
  pressed.setAttribute('aria-label', `Really delete ${row.name}`);
  pressed.onblur = draw;
}

function line(row) {
  const item = document.createElement('li');
  const name = button(row.name, `Open ${row.name}`, () => open({ act: 'open', id: row.id }));
  name.className = 'gc-name';
  name.title = `${row.name}\n${new Date(row.asked).toLocaleString()}`;
  if (row.open) name.setAttribute('aria-current', 'true');
  item.append(
    name,
    button('Rename', `Rename ${row.name}`, () => rename(item, row)),
    button('Export', `Export ${row.name} as Markdown`, () => trigger('list_link', { ...asked(), act: 'write', id: row.id })),
    button('Delete', `Delete ${row.name}`, (e) => remove(e, row)),
  );
  return item;
}

function save(files) {
  for (const file of files) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([file.text], { type: 'text/markdown' }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }
}

function draw() {
  const shown = props.value;
  if (!shown) return;
  part('.gc-count').textContent = shown.of || '';
  part('.gc-told').textContent = shown.told;
  part('.gc-none').textContent = shown.rows.length ? '' : shown.of ? 'No conversation has these words' : 'None yet';
  part('.gc-list').replaceChildren(...shown.rows.map(line));
  part('.gc-again').hidden = !shown.last;
  part('.gc-new').hidden = !shown.last;
  if (shown !== saved) save(shown.files);
  saved = shown;
}

shared.cancel = () => {
  shared.again = false;
  part('.gc-editing').hidden = true;
};
part('.gc-new').onclick = () => open({ act: 'new' });
part('.gc-repeat').onclick = () => shared.ask({ question: props.value.last, again: true });
part('.gc-edit').onclick = () => {
  shared.again = true;
  part('.gc-editing').hidden = false;
  shared.write(props.value.last);
};
part('.gc-cancel').onclick = () => { shared.cancel(); shared.write(''); };
words.oninput = () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => trigger('list_link', asked()), 150);
};
list.addEventListener('keydown', (e) => { if (e.key === 'Escape' && list.open) close(); });
document.addEventListener('pointerdown', (e) => { if (!list.contains(e.target)) list.open = false; }, { signal: shared.stop.signal });
watch('value', draw);
draw();
