// Elements of the page.

/**
 * The element below another one with a `data-part`, which has to be there.
 *
 * @template {HTMLElement} T
 * @param {ParentNode} parent
 * @param {string} name
 * @param {new () => T} kind
 * @returns {T}
 */
export function part(parent, name, kind) {
  const found = parent.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof kind)) throw new TypeError(`no ${kind.name} ${name} in the page`);
  return found;
}

/**
 * A new element with its properties and children.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<HTMLElementTagNameMap[T]>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * Set the text of an element, unless it has it already.
 *
 * @param {Element} place
 * @param {string} text
 */
export function write(place, text) {
  const [only] = place.childNodes;
  if (only instanceof Text && place.childNodes.length === 1) {
    if (only.data !== text) only.data = text;
  } else if (only || text) {
    place.replaceChildren(text);
  }
}
