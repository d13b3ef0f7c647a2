/** The errors of this package. Each is a `CandlecastError`. */

import type { Error as Refusal, ErrorEnvelope, FailedTimeframe } from "./generated/types.js";

export class CandlecastError extends Error {
  override name = this.constructor.name;
}

/** A call that no server accepts, such as a history of -1 candles. */
export class InvalidCall extends CandlecastError {}

/** The connection ended. Sequences of candles continue over the next one. */
export class ConnectionLost extends CandlecastError {}

/** The server violated its document: client and server versions do not match. */
export class ContractBroken extends CandlecastError {}

/** The server refused a request; `refusal` is its answer. */
export class RequestRefused extends CandlecastError {
  constructor(readonly refusal: Refusal) {
    super(`${refusal.error_code}: ${refusal.message}`);
  }
}

/** The server refused one symbol or timeframe; `reason.error_code` says why. */
export class SubscriptionRefused extends CandlecastError {
  constructor(readonly reason: FailedTimeframe) {
    super(`${reason.error_code}: ${reason.message}`);
  }
}

/**
 * The server no longer has the candles between the sequence and the current ones.
 *
 * `fromTime` and `toTime` (ms) are the last candle that was delivered and the first that could
 * follow. Start a new sequence if the gap does not matter.
 */
export class CandlesMissing extends CandlecastError {
  constructor(
    readonly symbol: string,
    readonly timeframe: number,
    readonly fromTime: number,
    readonly toTime: number,
  ) {
    super(
      `${symbol} ${timeframe}m: the server has no candles between ${fromTime} and ${toTime}; ` +
        "start a new sequence",
    );
  }
}

/** Too many updates of a sequence are unread. */
export class ReaderTooSlow extends CandlecastError {}

/**
 * A REST request was answered with an error.
 *
 * `answer` is undefined when the reply is not one of the server's own, as from a proxy in between.
 * `retryAfter` is how many seconds to wait before a retry, if the server sent it.
 */
export class RestError extends CandlecastError {
  constructor(
    readonly status: number,
    readonly answer: ErrorEnvelope | undefined,
    readonly retryAfter: number | undefined,
  ) {
    const reason = answer ? `${answer.error_code}: ${answer.error}` : "no answer of Candlecast";
    super(`HTTP ${status}, ${reason}`);
  }
}
