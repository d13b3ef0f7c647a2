// The colours of the theme, which the site keeps and changes (site/theme.js).

/** @param {() => void} listener called when the colours change */
export function onChange(listener) {
  document.addEventListener('themechange', listener);
}

/** What gives the colours of the theme by the names of their properties. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  return (/** @type {string} */ name) => style.getPropertyValue(name);
}
