// Light or dark: as the system has it, or as the reader has chosen. Runs before a page is drawn.
'use strict';

(() => {
  const KEY = 'candlecast-theme';
  const SYSTEM = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;

  function stored() {
    try {
      const chosen = localStorage.getItem(KEY);
      return ['dark', 'light'].includes(chosen) ? chosen : null;
    } catch {
      return null; // the browser keeps nothing of this page
    }
  }

  function store(chosen) {
    try {
      if (chosen) localStorage.setItem(KEY, chosen);
      else localStorage.removeItem(KEY);
    } catch {
      // It holds until the page is left.
    }
  }

  function apply(chosen) {
    if (chosen) root.dataset.theme = chosen;
    else delete root.dataset.theme;
    const isDark = chosen ? chosen === 'dark' : SYSTEM.matches;
    root.classList.toggle('dark-mode', isDark); // Swagger UI's name
    document.querySelector('.bar .theme')?.setAttribute('aria-pressed', String(isDark));
    document.dispatchEvent(new CustomEvent('themechange', {detail: {isDark}}));
  }

  function toggle() {
    const wanted = root.classList.contains('dark-mode') ? 'light' : 'dark';
    // What the system has anyway is no choice: the page follows the system again.
    const chosen = (wanted === 'dark') === SYSTEM.matches ? null : wanted;
    store(chosen);
    apply(chosen);
  }

  apply(stored());
  SYSTEM.addEventListener('change', () => apply(root.dataset.theme));
  addEventListener('storage', ({key}) => key === KEY && apply(stored())); // from another tab
  document.addEventListener('DOMContentLoaded', () => {
    const button = document.querySelector('.bar .theme');
    button.setAttribute('aria-pressed', String(root.classList.contains('dark-mode')));
    button.addEventListener('click', toggle);
  });
})();
