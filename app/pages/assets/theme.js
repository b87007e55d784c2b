/* The first thing in the page: the theme that was chosen before, from the first frame on. What Gradio sets later, by the
   system's theme, is put right before it is drawn. */
(() => {
  const grounds = { dark: '#0d1218', light: '#f7f8fa' };
  const root = document.documentElement;
  function keep() {
    let kept = null;
    try { kept = localStorage.getItem('gradus-theme'); } catch (_) { /* the system's choice stands */ }
    if (!(kept in grounds)) return;
    const dark = kept === 'dark';
    root.style.colorScheme = kept;
    root.style.setProperty('--bg', grounds[kept]);
    root.style.setProperty('--bg-dark', grounds[kept]);
    if (document.body && document.body.classList.contains('dark') !== dark) document.body.classList.toggle('dark', dark);
  }
  function follow() {
    keep();
    new MutationObserver(keep).observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }
  keep();
  new MutationObserver((_, waiting) => {
    if (!document.body) return;
    waiting.disconnect();
    follow();
  }).observe(root, { childList: true });
})();
