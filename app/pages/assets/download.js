/* The graph as a file: the server writes it, the browser keeps it; nothing is left on the server.
   Stands behind graph.js, whose names it uses. */
const saver = $('.gg-save'), told = $('.gg-saved');

function tellParts() {
  $('.gg-part-map').textContent = `What the map shows: ${view.inside}`;
  $('.gg-part-all').textContent = `The whole graph: ${concepts.length}`;
  $('input[value="map"]').disabled = !view.inside;
  if (!view.inside) $('input[value="all"]').checked = true;
  told.textContent = '';
}

async function save(it) {
  const whole = $('input[value="all"]').checked;
  told.textContent = 'Writing …';
  const file = await server.save({ form: it.dataset.form, whole, wanted: want });
  if (file.error) { told.textContent = file.error; return; }
  const content = file.base64 ? Uint8Array.from(atob(file.base64), (c) => c.charCodeAt(0)) : file.text;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type: file.type }));
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  told.textContent = `${file.name} is in your downloads`;
}

saver.addEventListener('toggle', () => { if (saver.open) tellParts(); });
for (const it of saver.querySelectorAll('button')) it.onclick = () => save(it);
