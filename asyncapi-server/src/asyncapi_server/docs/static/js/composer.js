// The editor of a message: an example to begin with, checked by the message's schema at each change.

import { byId, element } from './dom.js';
import { at, formatted, isRough, position, read } from './json.js';

const MAX_CHECKED_CHARS = 200_000;
const MAX_SHOWN = 20;

export class Composer {
  #messages = [];
  #schema;
  #send;
  #message = byId('asyncapi-message');
  #example = byId('asyncapi-example');
  #editor = byId('asyncapi-editor');
  #verdict = byId('asyncapi-verdict');
  #faults = byId('asyncapi-faults');
  #button = byId('asyncapi-send');

  /** `send(text, name)` sends a text that was made from a message. */
  constructor(send) {
    this.#send = send;
    this.#message.addEventListener('change', () => this.#showExamples());
    this.#example.addEventListener('change', () => this.#load());
    this.#editor.addEventListener('input', () => this.#check());
    this.#editor.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.#submit();
      }
    });
    byId('asyncapi-format').addEventListener('click', () => this.#format());
    byId('asyncapi-compose').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Offer the messages that a server admits; `schema(name)` gives the schema of one. */
  offer(messages, schema) {
    const before = this.#message.value;
    this.#messages = messages;
    this.#schema = schema;
    this.#message.replaceChildren(...messages.map(({ name, title }) => new Option(title, name)));
    byId('asyncapi-compose').hidden = messages.length === 0;
    if (messages.some(({ name }) => name === before)) {
      this.#message.value = before;
    }
    this.#showExamples();
  }

  /** Choose a message by its name. */
  choose(name) {
    this.#message.value = name;
    this.#showExamples();
    this.#editor.focus();
  }

  /** Whether there is a connection to send over. */
  set isConnected(value) {
    this.#button.disabled = !value;
    this.#button.title = value ? 'Ctrl+Enter' : 'Connect first';
  }

  get #chosen() {
    return this.#messages.find(({ name }) => name === this.#message.value);
  }

  #showExamples() {
    const examples = this.#chosen?.examples ?? [];
    const options = examples.map(({ title }, number) => new Option(title || `example ${number + 1}`, number));
    this.#example.replaceChildren(...options);
    this.#example.closest('label').hidden = options.length < 2;
    this.#load();
  }

  #load() {
    const example = this.#chosen?.examples[Number(this.#example.value)];
    this.#editor.value = example?.json ?? '{}';
    this.#check();
  }

  #format() {
    try {
      this.#editor.value = formatted(this.#editor.value, 56);
    } catch {
      // The verdict says what is wrong.
    }
    this.#check();
  }

  #submit() {
    if (!this.#button.disabled) {
      this.#send(this.#editor.value, this.#message.value);
    }
  }

  #check() {
    const text = this.#editor.value;
    const found = this.#found(text);
    const isGood = found.length === 0;
    this.#editor.setAttribute('aria-invalid', String(!isGood));
    this.#verdict.className = isGood ? 'verdict good' : 'verdict bad';
    this.#verdict.textContent = this.#words(text, found.length);
    const shown = found.slice(0, MAX_SHOWN).map((fault) => this.#item(fault));
    this.#faults.replaceChildren(...shown);
    this.#button.textContent = isGood ? 'Send' : 'Send anyway';
  }

  #words(text, count) {
    if (text.length > MAX_CHECKED_CHARS) {
      return 'too large to be checked while typing';
    }
    if (!count) {
      const rough = isRough(text, read(text)) ? ', with integers that are checked roughly' : '';
      return `a valid ${this.#chosen?.title ?? 'message'}${rough}`;
    }
    return count === 1 ? '1 fault' : `${count} faults`;
  }

  /** The faults of a text, each with its place: that of the JSON, else those of the schema. */
  #found(text) {
    if (text.length > MAX_CHECKED_CHARS) {
      return [];
    }
    let tree;
    try {
      tree = read(text);
    } catch (fault) {
      const { line, column } = position(text, fault.offset);
      const place = { start: fault.offset, end: fault.offset + 1 };
      return [{ where: `line ${line}, column ${column}`, text: fault.message, ...place }];
    }
    try {
      const faults = this.#schema(this.#message.value)?.faults(JSON.parse(text)) ?? [];
      return faults.map(({ pointer, text: words }) => {
        const { start, end } = at(tree, pointer) ?? tree;
        return { where: pointer || 'message', text: words, start, end };
      });
    } catch (error) {
      return [{ where: 'message', text: `it cannot be checked: ${error.message}`, start: 0, end: 0 }];
    }
  }

  #item({ where, text, start, end }) {
    const button = element('button', { type: 'button' }, element('code', {}, where), ` ${text}`);
    button.addEventListener('click', () => {
      this.#editor.focus();
      this.#editor.setSelectionRange(start, end);
    });
    return element('li', {}, button);
  }
}
