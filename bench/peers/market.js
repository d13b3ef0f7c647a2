// The same updates as in bench/market.py.
"use strict";

const TIMEFRAMES = [1, 3, 5, 7, 15, 30, 60, 120, 173, 240];
const BASE_MS = 1735689600000;

const SYMBOLS = Array.from({ length: 25 }, (_, i) => `COIN${String(i).padStart(2, "0")}USDT`);
exports.TOPICS = SYMBOLS.flatMap((symbol) => TIMEFRAMES.map((t) => `${symbol}:${t}`));

exports.ohlcv = (topic, tick) => {
  const [symbol, timeframe] = topic.split(":");
  return {
    type: "ohlcv_update",
    symbol,
    timeframe: `${timeframe}m`,
    data: {
      candle_time: BASE_MS,
      open: 43255.31827,
      high: 43268.94512,
      low: 43251.20031,
      close: 43262.4 + tick / 100,
      volume: 12345.45332871,
      trades_count: 142000 + tick,
      taker_buy_volume: 6123.12441112,
      taker_sell_volume: 6222.32891759,
    },
    data_status: {
      historical_loading: false,
      gap_recovery: false,
      data_quality: "complete",
      last_complete_timestamp: BASE_MS + tick,
    },
  };
};
