// The keys of the page.

/**
 * Whether what has the focus takes letters and digits itself.
 *
 * @param {Element | null} focused
 */
export function isWriting(focused) {
  return focused instanceof HTMLInputElement || focused instanceof HTMLSelectElement || focused instanceof HTMLTextAreaElement;
}

/**
 * Call what a key is for. Keys with Ctrl, Alt or Meta are the browser's.
 *
 * @param {(key: string, event: KeyboardEvent) => boolean} press returns whether it was for something
 */
export function listen(press) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (isWriting(document.activeElement) || document.querySelector('dialog[open]')) return;
    if (press(event.key, event)) event.preventDefault();
  });
}
