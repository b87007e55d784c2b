/* The graph as a file: the server writes it, the browser keeps it; nothing is left on the server.
   Stands behind graph.js, whose names it uses. */
const saver = $('.gg-save'), told = $('.gg-saved');

function tellParts() {
  $('.gg-part-map').textContent = `What the map shows: ${nodes.length}`;
  $('.gg-part-all').textContent = `The whole graph: ${concepts.length}`;
  $('input[value="map"]').disabled = !nodes.length;
  if (!nodes.length) $('input[value="all"]').checked = true;
  told.textContent = '';
}

async function save(button) {
  const whole = $('input[value="all"]').checked;
  told.textContent = 'Writing …';
  const file = await server.save({ form: button.dataset.form, whole, about: about === null ? null : labelOf(about) });
  if (file.error) { told.textContent = file.error; return; }
  const content = file.base64 ? Uint8Array.from(atob(file.base64), (c) => c.charCodeAt(0)) : file.text;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type: file.type }));
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  told.textContent = `${file.name} is among your downloads`;
}

saver.addEventListener('toggle', () => { if (saver.open) tellParts(); });
saver.addEventListener('keydown', (e) => {
  if (e.key !== 'Escape' || !saver.open) return;
  saver.open = false;
  saver.querySelector('summary').focus();
});
for (const button of saver.querySelectorAll('button')) button.onclick = () => save(button);
element.addEventListener('pointerdown', (e) => { if (!saver.contains(e.target)) saver.open = false; });
