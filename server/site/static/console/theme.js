// Light and dark: as the system has it, or as was chosen here.

const KEPT = 'candlecast-theme';
const root = document.documentElement;
const darkSystem = matchMedia('(prefers-color-scheme: dark)');
/** @type {Set<() => void>} */
const listeners = new Set();

/** Whether the page is dark. */
export function isDark() {
  return root.dataset['theme'] ? root.dataset['theme'] === 'dark' : darkSystem.matches;
}

/** Change to the other theme; the system's own is kept as no choice. */
export function toggle() {
  const dark = !isDark();
  if (dark === darkSystem.matches) {
    delete root.dataset['theme'];
    localStorage.removeItem(KEPT);
  } else {
    root.dataset['theme'] = dark ? 'dark' : 'light';
    localStorage.setItem(KEPT, root.dataset['theme']);
  }
  changed();
}

/** @param {() => void} listener called when the colours change */
export function onChange(listener) {
  listeners.add(listener);
}

/** What gives the colours of the theme by the names of their properties. */
export function colours() {
  const style = getComputedStyle(root);
  return (/** @type {string} */ name) => style.getPropertyValue(name);
}

function changed() {
  for (const listener of listeners) listener();
}

const kept = localStorage.getItem(KEPT);
if (kept === 'dark' || kept === 'light') root.dataset['theme'] = kept;
darkSystem.addEventListener('change', changed);
