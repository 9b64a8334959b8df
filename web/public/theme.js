// Runs before the first paint, so that nobody sees the wrong theme flash by. Kept in step with lib/preferences.ts by a
// test; a file of its own because the content security policy knows no inline code of ours.
(() => {
  const root = document.documentElement;
  let saved = {};
  try {
    saved = JSON.parse(localStorage.getItem('fairlead.preferences') ?? '{}') ?? {};
  } catch {
    // Storage may be forbidden or hold junk: the system's wishes then decide.
  }
  const wants = (query) => matchMedia(query).matches;
  const system = wants('(prefers-contrast: more)')
    ? 'contrast'
    : wants('(prefers-color-scheme: dark)')
      ? 'dark'
      : 'light';
  root.dataset.theme = ['light', 'dark', 'contrast'].includes(saved.theme) ? saved.theme : system;
  root.dataset.density = saved.density === 'compact' ? 'compact' : 'comfortable';
  root.dataset.text = ['112', '125'].includes(saved.textSize) ? saved.textSize : '100';
})();
