// Light or dark: as the system has it, or as the reader has chosen.

import { byId } from './dom.js';

const KEY = 'asyncapi-theme';
const DARK = matchMedia('(prefers-color-scheme: dark)');

/** Apply the choice of an earlier visit, before the page is drawn. */
export function applyTheme() {
  const chosen = stored();
  if (chosen) {
    document.documentElement.dataset.theme = chosen;
  }
}

/** Let the button switch the theme. */
export function startTheme() {
  const button = byId('asyncapi-theme');
  if (!button) {
    return;
  }
  const show = () => button.setAttribute('aria-pressed', String(isDark()));
  button.hidden = false;
  button.addEventListener('click', () => {
    const chosen = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = chosen;
    store(chosen);
    show();
  });
  DARK.addEventListener('change', show);
  show();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : DARK.matches;
}

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
    localStorage.setItem(KEY, chosen);
  } catch {
    // It holds until the page is left.
  }
}
