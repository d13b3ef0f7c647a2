/** The errors of this client. */

import { write } from "./values.js";

/** Any error of this package. */
export class ClientError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** The server cannot be reached, or does not accept the connection. */
export class CannotConnect extends ClientError {}

/** The connection has ended; `code` is that of its closing, 1006 without one. */
export class ConnectionLost extends ClientError {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    super(`the connection has ended with the code ${code} ${reason}`.trimEnd());
    this.code = code;
    this.reason = reason;
  }
}

/** Messages came faster than they were iterated over; the connection is closed. */
export class ReaderTooSlow extends ClientError {}

/** No reply came in time. */
export class TimedOut extends ClientError {}

/** The server answered a request with the error `reply`. */
export class Refused<T> extends ClientError {
  readonly reply: T;

  constructor(reply: T) {
    super(write(reply));
    this.reply = reply;
  }
}
