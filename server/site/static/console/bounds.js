// Bounds of the server's documents, which tests hold to them.

/** The longest timeframe in minutes. */
export const MAX_TIMEFRAME = 525600;
/** The most candles of history that a subscription may ask for. */
export const MAX_INITIAL_CANDLES = 1000;
/** The most candles in a page over REST. */
export const MAX_PAGE = 10000;
