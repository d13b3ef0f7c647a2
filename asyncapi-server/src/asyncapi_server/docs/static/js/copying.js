// Buttons that copy blocks of code.

import { copy, element } from './dom.js';

/** Give each block of code that has none a button that copies it. */
export function startCopying() {
  for (const code of document.querySelectorAll('#content pre > code')) {
    const place = placeOf(code.parentElement);
    if (!place.querySelector(':scope > .copy')) {
      const properties = { type: 'button', className: 'copy', 'aria-live': 'polite' };
      const button = element('button', properties, 'Copy');
      button.addEventListener('click', () => copy(code.textContent, button));
      place.append(button);
    }
  }
}

/** Where the button of a block goes: into its caption, or else into an element around it. */
function placeOf(block) {
  const caption = block.parentElement.querySelector(':scope > figcaption');
  if (caption || block.parentElement.matches('.code-block')) {
    return caption ?? block.parentElement;
  }
  const around = element('div', { className: 'code-block' });
  block.replaceWith(around);
  around.append(block);
  return around;
}
