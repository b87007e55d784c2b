/* This machine above the runs, asked for again while it can be seen: often while a run goes on. */
const BUSY_MS = 2000, AT_REST_MS = 8000;
const place = element.querySelector('.g-machine');
let shown = '';

async function look() {
  if (!element.isConnected) return;
  let busy = false;
  if (!document.hidden && place.offsetParent) {
    try {
      const told = await server.machine_now();
      busy = told.busy;
      /* Who stands on one of its links is left there. */
      if (told.html !== shown && !place.contains(document.activeElement)) place.innerHTML = shown = told.html;
    } catch (_) { /* the server is away, which another line says */ }
  }
  setTimeout(look, busy ? BUSY_MS : AT_REST_MS);
}
look();
