// The log as the reader sees it: a row a message, the newest last.

import { byId, copy, element } from './dom.js';
import { formatted } from './json.js';
import { asJson } from './log.js';

const MAX_PREVIEW_CHARS = 240;
const MAX_FORMATTED_CHARS = 500_000;
const MAX_SHOWN_FAULTS = 20;

export class LogView {
  #log;
  #list = byId('asyncapi-log');
  #text = byId('asyncapi-filter');
  #kind = byId('asyncapi-kind');
  #pause = byId('asyncapi-pause');
  #note = byId('asyncapi-log-note');
  #rows = new Map();
  #waiting = 0;
  dropped = 0;

  constructor(log, clear) {
    this.#log = log;
    this.#text.addEventListener('input', () => this.#filter());
    this.#kind.addEventListener('change', () => this.#filter());
    this.#pause.addEventListener('click', () => this.#toggle());
    this.#list.addEventListener('keydown', (event) => this.#press(event));
    byId('asyncapi-clear').addEventListener('click', () => {
      clear();
      this.#rebuild();
    });
    byId('asyncapi-copy').addEventListener('click', ({ currentTarget }) => {
      copy(asJson(this.#chosen), currentTarget);
    });
    byId('asyncapi-save').addEventListener('click', () => this.#save());
    this.#say();
  }

  /** Show records that were added to the log. */
  add(records) {
    if (this.#isPaused) {
      this.#waiting += records.length;
      this.#say();
      return;
    }
    const isAtEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    const first = this.#log.records[0]?.number ?? Infinity;
    // Of a burst that is longer than the log, only the rest is drawn.
    const fresh = records.filter(({ number }) => number >= first).map((record) => this.#row(record));
    this.#list.append(...fresh);
    while (this.#list.firstChild && this.#list.firstChild.record.number < first) {
      this.#rows.delete(this.#list.firstChild.record.number);
      this.#list.firstChild.remove();
    }
    for (const { request } of records) {
      const row = request && this.#rows.get(request.number);
      row?.querySelector('.timing').replaceChildren(timing(request));
    }
    if (isAtEnd) {
      this.#list.scrollTop = this.#list.scrollHeight;
    }
    this.#say();
  }

  /** Go from row to row: the keyboard reaches the log as one thing, not row by row. */
  #press(event) {
    const shown = [...this.#list.children].filter((row) => !row.hidden);
    const current = shown.indexOf(event.target.closest('li'));
    const last = shown.length - 1;
    const next = {
      ArrowDown: Math.min(current + 1, last),
      ArrowUp: current < 0 ? last : Math.max(current - 1, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (next !== undefined && shown[next]) {
      event.preventDefault();
      shown[next].querySelector('summary').focus();
    }
  }

  get #isPaused() {
    return this.#pause.getAttribute('aria-pressed') === 'true';
  }

  /** The records that the filter leaves. */
  get #chosen() {
    return this.#log.records.filter((record) => this.#matches(record));
  }

  #toggle() {
    this.#pause.setAttribute('aria-pressed', String(!this.#isPaused));
    this.#pause.textContent = this.#isPaused ? 'Resume' : 'Pause';
    if (!this.#isPaused) {
      this.#waiting = 0;
      this.#rebuild();
    }
    this.#say();
  }

  #rebuild() {
    this.#rows.clear();
    this.#list.replaceChildren(...this.#log.records.map((record) => this.#row(record)));
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#say();
  }

  #filter() {
    for (const row of this.#list.children) {
      row.hidden = !this.#matches(row.record);
    }
    this.#say();
  }

  #matches(record) {
    const kind = this.#kind.value;
    if (kind === 'faulty' ? !isFaulty(record) : kind && record.direction !== kind) {
      return false;
    }
    const words = this.#text.value.trim().toLowerCase();
    return !words || `${record.name} ${record.text}`.toLowerCase().includes(words);
  }

  #save() {
    const blob = new Blob([asJson(this.#chosen)], { type: 'application/json' });
    const url = URL.createObjectURL(blob);
    const link = element('a', { href: url, download: 'messages.json' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  #say() {
    const count = this.#log.records.length;
    const parts = [count ? `${count} messages` : 'Messages appear here.'];
    if (count === this.#log.maxRecords) {
      parts.push('older ones are left out');
    }
    if (this.#waiting) {
      parts.push(`${this.#waiting} since the pause`);
    }
    if (this.dropped) {
      parts.push(`${this.dropped} came faster than they could be read`);
    }
    this.#note.textContent = parts.join(', ');
    this.#note.classList.toggle('empty', count === 0);
  }

  #row(record) {
    const details = element('details', { className: isFaulty(record) ? 'faulty' : '' }, summary(record));
    // What a row holds is made when it is opened.
    details.addEventListener('toggle', () => {
      if (details.open && details.children.length === 1) {
        details.append(this.#body(record));
      }
    });
    const row = element('li', { className: record.direction, record }, details);
    row.hidden = !this.#matches(record);
    this.#rows.set(record.number, row);
    return row;
  }

  /** What an opened row holds: where its message is described, what it answers, and its text. */
  #body(record) {
    const facts = element('p', { className: 'facts' });
    if (record.anchor) {
      const link = element('a', { href: `#${record.anchor}` }, record.name);
      facts.append(link);
    }
    if (record.request) {
      const words = `Answers ${record.request.name}`;
      const back = element('button', { type: 'button', className: 'copy' }, words);
      back.addEventListener('click', () => {
        const summary = this.#rows.get(record.request.number)?.querySelector('summary');
        summary?.focus();
      });
      facts.append(back);
    }
    const button = element('button', { type: 'button', className: 'copy' }, 'Copy');
    button.addEventListener('click', () => copy(record.text, button));
    facts.append(button);
    const faults = (record.faults ?? []).slice(0, MAX_SHOWN_FAULTS);
    const items = faults.map(({ pointer, text }) =>
      element('li', {}, element('code', {}, pointer || 'message'), ` ${text}`),
    );
    const list = element('ul', { className: 'faults', hidden: items.length === 0 }, ...items);
    const text = element('pre', { tabIndex: 0 }, shown(record));
    return element('div', { className: 'inside' }, facts, list, text);
  }
}

function isFaulty({ problem, faults }) {
  return Boolean(problem || faults?.length);
}

function summary(record) {
  const ways = { sent: ['↑', 'sent'], received: ['↓', 'received'], note: ['·', 'note'] };
  const [sign, words] = ways[record.direction];
  const name = record.name || (record.direction === 'note' ? '' : 'unknown');
  return element(
    'summary',
    { tabIndex: -1 },
    element('time', {}, new Date(record.at).toTimeString().slice(0, 8)),
    element('span', { className: 'sign', role: 'img', 'aria-label': words }, sign),
    element('span', { className: 'name' }, name),
    element('span', { className: 'timing' }, timing(record)),
    element('span', { className: 'wrong' }, wrong(record)),
    element('code', {}, record.text.slice(0, MAX_PREVIEW_CHARS)),
  );
}

/** What is wrong with a record, in a few words; "" when nothing is. */
function wrong({ problem, faults }) {
  return problem || (faults?.length ? 'fails its schema' : '');
}

function timing({ answered, milliseconds, request }) {
  if (request) {
    return `after ${milliseconds} ms`;
  }
  return answered === undefined ? '' : `answered in ${answered} ms`;
}

function shown({ text, isJson }) {
  try {
    return isJson && text.length <= MAX_FORMATTED_CHARS ? formatted(text, 56) : text;
  } catch {
    return text;
  }
}
