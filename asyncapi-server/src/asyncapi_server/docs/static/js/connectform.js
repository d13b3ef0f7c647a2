// The form that a connection is opened with: a server, a channel, and the parts of the address.

import { address, obstacle } from './address.js';
import { byId, element } from './dom.js';

const WEBSOCKET = /^(?:wss?|websockets?):/i;

export class ConnectForm {
  #data;
  #servers;
  #fields = [];
  #form = byId('asyncapi-connect');
  #server = byId('asyncapi-server');
  #channel = byId('asyncapi-channel');
  #url = byId('asyncapi-url');
  #note = byId('asyncapi-connect-note');
  #switch = byId('asyncapi-switch');
  #connected = false;
  #listener;

  /** `listener` has `connect(url)`, `disconnect()` and `chosen(channel, server)`. */
  constructor(data, listener) {
    this.#data = data;
    this.#listener = listener;
    this.#servers = servers(data.servers, location);
    this.#server.append(
      ...this.#servers.map(({ name }, number) => new Option(name, String(number))),
    );
    const near = this.#servers.findIndex((server) => !server.isHere && isOf(server, location));
    this.#server.selectedIndex = Math.max(0, near);
    this.#server.closest('label').hidden = this.#servers.length < 2;
    this.#server.addEventListener('change', () => this.#showChannels());
    this.#channel.addEventListener('change', () => this.#showFields());
    this.#form.addEventListener('input', (event) => {
      if (event.target !== this.#url) {
        this.#fill();
      }
      this.#say(this.#hint());
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#showChannels();
  }

  get channel() {
    return this.#data.channels[Number(this.#channel.value)];
  }

  get server() {
    return this.#servers[Number(this.#server.value)];
  }

  /** Choose a channel by its number. */
  choose(number) {
    if (this.#channel.value !== String(number)) {
      const reachable = this.#servers.findIndex((server) => reaches(server, this.#data.channels[number]));
      if (!reaches(this.server, this.#data.channels[number]) && reachable >= 0) {
        this.#server.value = String(reachable);
        this.#showChannels();
      }
      this.#channel.value = String(number);
      this.#showFields();
    }
  }

  /** Whether the button ends a connection. */
  set isConnected(value) {
    this.#switch.textContent = value ? 'Disconnect' : 'Connect';
    this.#switch.classList.toggle('main', !value);
    this.#connected = value;
  }

  #submit() {
    if (this.#connected) {
      this.#listener.disconnect();
      return;
    }
    const url = this.#url.value.trim();
    const problem = obstacle(url, location);
    this.#say(problem || this.#hint());
    this.#url.setAttribute('aria-invalid', String(problem !== ''));
    if (!problem) {
      this.#listener.connect(url);
    }
  }

  #showChannels() {
    const numbers = this.#data.channels.keys();
    const reachable = [...numbers].filter((n) => reaches(this.server, this.#data.channels[n]));
    const options = reachable.map((n) => new Option(this.#data.channels[n].address, String(n)));
    this.#channel.replaceChildren(...options);
    this.#channel.closest('label').hidden = options.length < 2;
    this.#showFields();
  }

  #showFields() {
    const channel = this.channel;
    if (!channel) {
      return;
    }
    const named = [...this.server.variables, ...channel.parameters];
    this.#fields = [
      ...named.map((field) => ({ field, part: 'values', input: input(field) })),
      ...channel.query.map((field) => ({ field, part: 'query', input: input(field) })),
    ];
    const labels = this.#fields.map(({ field, part, input: control }) => {
      const words = part === 'query' ? `?${field.name}` : field.name;
      return element('label', {}, element('span', {}, words), control);
    });
    byId('asyncapi-fields').replaceChildren(...labels);
    byId('asyncapi-fields').hidden = labels.length === 0;
    this.#fill();
    this.#say(this.#hint());
    this.#listener.chosen(channel, this.server);
  }

  /** Write the address anew from its parts. */
  #fill() {
    const parts = { values: {}, query: {} };
    for (const { field, part, input: control } of this.#fields) {
      parts[part][field.name] = control.value;
    }
    this.#url.value = address(this.server, this.channel, parts.values, parts.query);
    this.#url.removeAttribute('aria-invalid');
  }

  #hint() {
    const { headers } = this.channel;
    return headers.length
      ? `The document names headers for this request (${headers.join(', ')}): a browser sends none.`
      : '';
  }

  #say(words) {
    this.#note.textContent = words;
    this.#note.hidden = words === '';
  }
}

/** The servers that can be chosen: those of the document, and the one that this page is from. */
function servers(described, page) {
  const speaking = described.filter(({ url }) => WEBSOCKET.test(url));
  const found = (speaking.length ? speaking : described).map((server) => ({
    ...server,
    url: server.url
      .replace(/^(?:http|websockets?)(s?):/i, 'ws$1:')
      .replace(/^(?!wss?:)[a-z0-9+.-]*:\/\//i, 'ws://'),
  }));
  if (['http:', 'https:'].includes(page.protocol)) {
    const url = `${page.protocol.replace('http', 'ws')}//${page.host}`;
    if (!found.some((server) => isOf(server, page))) {
      found.push({ name: 'the host of this page', url, variables: [], isHere: true });
    }
  }
  if (!found.length) {
    found.push({ name: 'this machine', url: 'ws://localhost:8080', variables: [], isHere: true });
  }
  return found;
}

/** Whether a server is the one that a page is from. */
function isOf({ url }, page) {
  return url.split('/')[2] === page.host;
}

function reaches(server, channel) {
  return server.isHere || !channel.servers || channel.servers.includes(server.name);
}

function input({ name, values, value, required }) {
  if (values.length && required) {
    const choice = element('select', { name });
    choice.append(...values.map((each) => new Option(each, each, each === value, each === value)));
    return choice;
  }
  const made = element('input', { name, value: required ? value : '', spellcheck: false });
  made.placeholder = value;
  made.autocomplete = 'off';
  return made;
}
