// Search over the operations, messages, fields and texts of the page, without any server.

import { byId, element } from './dom.js';
import { reveal } from './reading.js';

const MAX_RESULTS = 40;
const MAX_SNIPPET_CHARS = 120;
const TEXTS = 'p, li, td, th, dd, figcaption';

/** Let the dialog search the page. */
export function startSearch() {
  const dialog = byId('asyncapi-search');
  if (!dialog) {
    return;
  }
  const search = new Search(dialog);
  byId('asyncapi-find').addEventListener('click', () => search.open());
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target.closest?.('input, textarea, select, dialog');
    const isCommand = event.key === 'k' && (event.ctrlKey || event.metaKey);
    if (isCommand || (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey)) {
      event.preventDefault();
      search.open();
    }
  });
}

/** The places of the page that have one of the words, the best first. */
function ranked(entries, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) {
    return [];
  }
  const found = [];
  for (const entry of entries) {
    if (words.every((word) => entry.words.includes(word))) {
      found.push([score(entry, words), entry]);
    }
  }
  found.sort(([a], [b]) => b - a);
  return found.slice(0, MAX_RESULTS).map(([, entry]) => entry);
}

function score({ name, rank }, words) {
  let points = rank;
  for (const word of words) {
    if (name === word) {
      points += 100;
    } else if (name.startsWith(word) || name.endsWith(`.${word}`)) {
      points += 40;
    } else if (name.includes(word)) {
      points += 20;
    }
  }
  return points;
}

class Search {
  #dialog;
  #input;
  #list;
  #count;
  #entries;
  #chosen = 0;

  constructor(dialog) {
    this.#dialog = dialog;
    this.#input = dialog.querySelector('input');
    this.#list = dialog.querySelector('[role="listbox"]');
    this.#count = dialog.querySelector('[role="status"]');
    this.#input.addEventListener('input', () => this.#show());
    this.#input.addEventListener('keydown', (event) => this.#press(event));
    this.#list.addEventListener('click', (event) => {
      this.#go(event.target.closest('[role="option"]'));
    });
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) {
        dialog.close();
      }
    });
  }

  open() {
    this.#entries ??= index();
    if (!this.#dialog.open) {
      this.#dialog.showModal();
    }
    this.#input.select();
  }

  #show() {
    const found = ranked(this.#entries, this.#input.value);
    this.#list.replaceChildren(...found.map(option));
    this.#count.textContent = this.#input.value.trim()
      ? `${found.length === MAX_RESULTS ? 'the first ' : ''}${found.length} found`
      : '';
    this.#choose(0);
  }

  #press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      this.#choose(this.#chosen + step);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.#go(this.#list.children[this.#chosen]);
    } else if (event.key === 'Escape') {
      event.preventDefault(); // it would only empty the field
      this.#dialog.close();
    }
  }

  #choose(number) {
    const options = [...this.#list.children];
    this.#chosen = Math.max(0, Math.min(options.length - 1, number));
    for (const [place, each] of options.entries()) {
      each.setAttribute('aria-selected', String(place === this.#chosen));
    }
    const chosen = options[this.#chosen];
    chosen?.scrollIntoView({ block: 'nearest' });
    this.#input.setAttribute('aria-activedescendant', chosen?.id ?? '');
    this.#input.setAttribute('aria-expanded', String(options.length > 0));
  }

  #go(chosen) {
    if (chosen) {
      this.#dialog.close();
      history.pushState(null, '', `#${chosen.dataset.target}`);
      reveal(chosen.dataset.target);
      // The mark of :target follows pushState only when the location is set, too.
      location.replace(`#${chosen.dataset.target}`);
    }
  }
}

function option({ kind, title, snippet, target }, number) {
  const properties = { role: 'option', id: `asyncapi-option-${number}` };
  const made = element(
    'li',
    properties,
    element('span', { className: 'kind' }, kind),
    element('span', { className: 'title' }, title),
    element('span', { className: 'snippet' }, snippet),
  );
  made.dataset.target = target;
  return made;
}

/** What can be found: headings and fields by their names, and texts below their heading. */
function index() {
  const entries = [];
  for (const heading of document.querySelectorAll('main [data-find]')) {
    const title = heading.dataset.title ?? text(heading);
    const name = heading.dataset.name ?? title;
    entries.push(entry(heading.dataset.find, title, name, `${title} ${name}`, heading.id, 12));
  }
  for (const row of document.querySelectorAll('main tr[id]')) {
    const title = row.querySelector('th code')?.textContent ?? 'whole';
    const snippet = text(row).slice(title.length).trim();
    const owner = row.closest('[data-message]')?.dataset.message ?? '';
    const words = `${title} ${owner} ${snippet}`;
    entries.push(entry('field', owner ? `${owner} · ${title}` : title, title, words, row.id, 6, snippet));
  }
  for (const block of document.querySelectorAll('main .prose')) {
    let target = owner(block);
    for (const part of block.querySelectorAll(`h2, h3, h4, h5, h6, ${TEXTS}`)) {
      if (part.id) {
        target = part.id;
      }
      const words = text(part);
      const title = part.matches('h2, h3, h4, h5, h6') ? words : heading(target);
      entries.push(entry('text', title, title, words, target, part.id ? 8 : 0, part.id ? '' : words));
    }
  }
  return entries;
}

function entry(kind, title, name, words, target, rank, snippet = '') {
  return {
    kind,
    title,
    target,
    rank,
    name: name.toLowerCase(),
    words: words.toLowerCase(),
    snippet: snippet.length > MAX_SNIPPET_CHARS ? `${snippet.slice(0, MAX_SNIPPET_CHARS)}…` : snippet,
  };
}

/** The id of the heading that a text is below. */
function owner(block) {
  for (let part = block; part && part.id !== 'content'; part = part.parentElement) {
    const own = part.querySelector(':scope > :is(h2, h3)[id], :scope > .head > [id]');
    if (own || part.id) {
      return own?.id ?? part.id;
    }
  }
  return 'about';
}

function heading(id) {
  const found = document.getElementById(id);
  return found?.dataset.title ?? (found ? text(found).slice(0, 80) : '');
}

function text(node) {
  return node.textContent.replace(/\s+/g, ' ').trim().replace(/ #$/, '');
}
