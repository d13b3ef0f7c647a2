// The console: it connects to a server, sends messages, and shows what passes.

import { Composer } from './composer.js';
import { Connection } from './connection.js';
import { ConnectForm } from './connectform.js';
import { byId } from './dom.js';
import { Log } from './log.js';
import { LogView } from './logview.js';
import { Traffic } from './traffic.js';

const TURN_MS = 40;
const WORK_MS = 15;
/** Records that are drawn at once. */
const MAX_TURN = 300;

/** Let the page try the document. */
export function startConsole() {
  const data = byId('asyncapi-data');
  if (data) {
    const { servers, channels } = JSON.parse(data.textContent);
    new Console({ servers, channels });
  }
}

class Console {
  #panel = byId('asyncapi-console');
  #status = byId('asyncapi-status');
  #opener = byId('asyncapi-try');
  #traffics = new Map();
  #traffic;
  #log = new Log();
  #view;
  #composer;
  #form;
  #connection;
  #fresh = [];
  #timer = null;

  constructor(data) {
    this.#connection = new Connection({
      changed: (state, words) => this.#changed(state, words),
      received: (frame) => this.#received(frame),
      ended: (words) => {
        this.#turn();
        this.#note(`closed: ${words}`);
      },
    });
    this.#view = new LogView(this.#log, () => this.#log.clear());
    this.#composer = new Composer((text, name) => this.#send(text, name));
    this.#form = new ConnectForm(data, {
      connect: (url) => this.#connect(url),
      disconnect: () => this.#connection.close(),
      chosen: (channel, server) => this.#chosen(channel, server),
    });
    this.#composer.isConnected = false;
    this.#startPanel(data);
  }

  #startPanel({ channels }) {
    this.#opener.hidden = channels.length === 0;
    this.#opener.addEventListener('click', () => this.#toggle(this.#panel.hidden));
    byId('asyncapi-close').addEventListener('click', () => this.#toggle(false));
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        this.#toggle(false);
      }
    });
    for (const button of document.querySelectorAll('button[data-try]')) {
      button.hidden = false;
      button.addEventListener('click', () => {
        this.#toggle(true);
        this.#form.choose(Number(button.dataset.channel));
        this.#composer.choose(button.dataset.try);
      });
    }
  }

  #toggle(isShown) {
    this.#panel.hidden = !isShown;
    document.documentElement.classList.toggle('trying', isShown);
    this.#opener.setAttribute('aria-expanded', String(isShown));
    (isShown ? byId('asyncapi-url') : this.#opener).focus();
  }

  /** A channel was chosen: another one than before ends the connection. */
  #chosen(channel, server) {
    const before = this.#traffic;
    if (!this.#traffics.has(channel)) {
      this.#traffics.set(channel, new Traffic(channel));
    }
    this.#traffic = this.#traffics.get(channel);
    if (before && before !== this.#traffic) {
      this.#connection.close();
    }
    const admitted = channel.receives.filter(
      ({ servers }) => server.isHere || !servers || servers.includes(server.name),
    );
    this.#composer.offer(admitted, (name) => this.#traffic.schema(name));
  }

  #connect(url) {
    this.#traffic.ended();
    this.#connection.open(url);
    this.#note(`connecting to ${url}`);
  }

  #changed(state, words) {
    this.#status.dataset.state = state;
    this.#status.textContent = words;
    this.#composer.isConnected = state === 'open';
    this.#form.isConnected = state !== 'closed';
    if (state === 'open') {
      this.#note('connected');
    }
  }

  #send(text, name) {
    this.#turn(); // what came before is shown before
    const record = this.#traffic.sending(text, name);
    this.#connection.send(text);
    this.#add(record);
  }

  #received(frame) {
    this.#traffic.arrived(frame);
    this.#timer ??= setTimeout(() => this.#turn(), TURN_MS);
  }

  /** Work off what waits for a while, then let the page breathe. */
  #turn() {
    clearTimeout(this.#timer);
    this.#timer = null;
    for (const record of this.#traffic.work(WORK_MS, MAX_TURN)) {
      this.#fresh.push(this.#log.add(record));
    }
    this.#view.dropped = this.#traffic.dropped;
    this.#view.add(this.#fresh.splice(0));
    if (this.#traffic.hasWork) {
      this.#timer = setTimeout(() => this.#turn(), TURN_MS);
    }
  }

  #note(text) {
    this.#add({ direction: 'note', at: Date.now(), text, name: '' });
  }

  /** Show a record behind all that has arrived before it. */
  #add(record) {
    this.#traffic.place(record);
    this.#turn();
  }
}
