/** A typed client of a Candlecast server, for browser and Node. */

export type { Backoff } from "./backoff.js";
export { Candles } from "./candles.js";
export { Client, type CandlesOptions, type ClientOptions } from "./client.js";
export type { WebSocketConstructor, WebSocketLike } from "./connection.js";
export * from "./errors.js";
export type * as types from "./generated/types.js";
export { RestClient } from "./rest.js";
export { CandleSequence, type CandleUpdate, type State } from "./sequence.js";
