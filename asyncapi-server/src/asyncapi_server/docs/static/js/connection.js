// One WebSocket at a time, with its state in words.

import { explained } from './closing.js';

/** A connection that is opened and closed again. */
export class Connection {
  #socket = null;
  #listener;

  /** `listener` has `changed(state, words)`, `received(data)` and `ended(words)`. */
  constructor(listener) {
    this.#listener = listener;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Open a connection, and end the one before. */
  open(url) {
    this.close();
    let socket;
    try {
      socket = new WebSocket(url);
    } catch (error) {
      this.#listener.changed('closed', error.message);
      return;
    }
    let wasOpen = false;
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#listener.changed('opening', 'connecting…');
    socket.addEventListener('open', () => {
      wasOpen = true;
      if (socket === this.#socket) {
        this.#listener.changed('open', 'connected');
      }
    });
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) {
        this.#listener.received(data);
      }
    });
    socket.addEventListener('close', (event) => {
      if (socket === this.#socket) {
        this.#socket = null;
        this.#listener.changed('closed', 'not connected');
        this.#listener.ended(explained(event, wasOpen));
      }
    });
  }

  send(text) {
    this.#socket.send(text);
  }

  /** End the connection; the server's answer to that is awaited no longer than the browser does. */
  close() {
    this.#socket?.close(1000);
  }
}
