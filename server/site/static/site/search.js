// The search field of every page. The index of all pages is loaded when it is first needed.

import {element} from './dom.js';
import {excerpt, marked, prepared, ranked, wordsOf} from './finding.js';

const SITE = new URL('..', import.meta.url);

/** Let the field in the header search the site. */
export function startSearch() {
  const search = new Search(document.querySelector('.bar .find'));
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target.closest?.('input, textarea, select, [contenteditable], dialog');
    if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });
}

class Search {
  #input;
  #panel;
  #list;
  #status;
  #places = null;
  #chosen = -1;

  constructor(part) {
    this.#input = part.querySelector('input');
    this.#panel = part.querySelector('.found');
    this.#list = part.querySelector('[role="listbox"]');
    this.#status = part.querySelector('[role="status"]');
    this.#input.addEventListener('focus', () => this.#load());
    this.#input.addEventListener('input', () => this.#show());
    this.#input.addEventListener('keydown', (event) => this.#press(event));
    this.#list.addEventListener('click', ({ctrlKey, metaKey, shiftKey}) => {
      if (!ctrlKey && !metaKey && !shiftKey) this.#close();
    });
    part.addEventListener('focusout', ({relatedTarget}) => {
      if (!part.contains(relatedTarget)) this.#close();
    });
    // A press on a result must not take the focus from the field before it is a click.
    this.#panel.addEventListener('mousedown', (event) => event.preventDefault());
  }

  focus() {
    this.#input.focus();
    this.#input.select();
    this.#show();
  }

  async #load() {
    this.#places ??= fetch(new URL('site/search.json', SITE)).then(async (answer) => {
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      return prepared(await answer.json());
    });
    try {
      return await this.#places;
    } catch {
      this.#places = null; // the next use tries again
      return null;
    }
  }

  async #show() {
    const query = this.#input.value;
    const words = wordsOf(query);
    if (!words.length) {
      this.#close();
      return;
    }
    const places = await this.#load();
    if (query !== this.#input.value) return; // something else is asked for meanwhile
    const found = places ? ranked(places, words) : [];
    this.#list.replaceChildren(...found.map((place, number) => option(place, words, number)));
    this.#status.textContent = places
      ? {0: 'No page has these words.', 1: '1 result'}[found.length] ?? `${found.length} results`
      : 'The index cannot be loaded.';
    this.#panel.hidden = false;
    this.#choose(found.length ? 0 : -1);
  }

  #press(event) {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step) {
      event.preventDefault();
      if (this.#panel.hidden) this.#show();
      else this.#choose(this.#chosen + step);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.#list.children[this.#chosen]?.click();
    } else if (event.key === 'Escape') {
      event.preventDefault(); // it would only empty the field
      if (this.#panel.hidden) this.#input.blur();
      else this.#close();
    }
  }

  #choose(number) {
    const options = [...this.#list.children];
    this.#chosen = options.length ? Math.max(0, Math.min(options.length - 1, number)) : -1;
    for (const [place, each] of options.entries()) {
      each.setAttribute('aria-selected', String(place === this.#chosen));
    }
    const chosen = options[this.#chosen];
    chosen?.scrollIntoView({block: 'nearest'});
    if (chosen) this.#input.setAttribute('aria-activedescendant', chosen.id);
    else this.#input.removeAttribute('aria-activedescendant');
    this.#input.setAttribute('aria-expanded', String(options.length > 0));
  }

  #close() {
    this.#panel.hidden = true;
    this.#list.replaceChildren();
    this.#choose(-1);
  }
}

function option({path, title, anchor, heading, above, text}, words, number) {
  const properties = {
    role: 'option', id: `found-${number}`, tabIndex: -1,
    href: new URL(anchor ? `${path}#${anchor}` : path, SITE).href,
  };
  const where = [title, above].filter((each) => each && each !== heading).join(' › ');
  return element('a', properties,
    element('span', {className: 'heading'}, ...pieces(heading, words)),
    element('span', {className: 'where'}, where),
    element('span', {className: 'excerpt'}, ...pieces(excerpt(text, words), words)));
}

function pieces(text, words) {
  return marked(text, words).map((piece) => (piece.isMarked ? element('mark', {}, piece.text) : piece.text));
}
