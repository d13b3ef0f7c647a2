// Elements of the page.

/** An element with properties and children; texts become text, never HTML. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes('-') || name === 'role') {
      made.setAttribute(name, value);
    } else {
      made[name] = value;
    }
  }
  made.append(...children);
  return made;
}

/** The element of an id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Copy a text, and say so on the button for a moment. */
export async function copy(text, button) {
  const words = button.dataset.words ?? button.textContent;
  button.dataset.words = words;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = copyBySelection(text) ? 'Copied' : 'Not copied';
  }
  setTimeout(() => {
    button.textContent = words;
  }, 1500);
}

/** Copy where the page may not use the clipboard, as on plain HTTP. */
function copyBySelection(text) {
  const field = element('textarea', { value: text, className: 'unseen', 'aria-hidden': 'true' });
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  return isCopied;
}
