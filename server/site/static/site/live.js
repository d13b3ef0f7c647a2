// The newest candles of this server's first symbol, drawn as they come.
'use strict';

const SHOWN = 60;
const LONGEST_PAUSE_MS = 30000;

const figure = document.getElementById('live');
const canvas = document.getElementById('live-chart');
const part = (name) => document.getElementById(`live-${name}`);
const candles = new Map();
let pause = 1000;

async function start() {
  const answer = await fetch('api/v1/tickers/');
  if (!answer.ok) return;
  const [ticker] = (await answer.json()).data;
  if (!ticker) return;
  part('symbol').textContent = `${ticker.symbol} 1m`;
  figure.hidden = false;
  connect(ticker.symbol);
}

function connect(symbol) {
  const url = new URL('ws/stream', location.href.replace(/^http/, 'ws'));
  const socket = new WebSocket(url);
  // A page that the browser keeps for "back" would keep its connection.
  addEventListener('pagehide', () => socket.close(), {once: true});
  socket.onopen = () => {
    pause = 1000;
    socket.send(JSON.stringify({
      action: 'subscribe',
      subscriptions: [{symbol, timeframes: [{timeframe: 1, initial_candles: SHOWN}]}],
    }));
  };
  socket.onmessage = (event) => take(JSON.parse(event.data));
  socket.onclose = () => {
    show('unknown', 'Connection lost; reconnecting.');
    setTimeout(connect, pause, symbol);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  };
}

function take(message) {
  if (message.type === 'initial_history') {
    candles.clear();
    for (const candle of message.candles) candles.set(candle.candle_time, candle);
  } else if (message.type === 'ohlcv_update') {
    if (message.data) candles.set(message.data.candle_time, message.data);
  } else {
    return;
  }
  const quality = message.data_status.data_quality;
  show(quality, quality === 'complete' ? note() : 'Candles are shown once no trade is missing.');
  draw();
}

function show(quality, text) {
  const badge = part('quality');
  badge.textContent = quality;
  badge.className = `quality ${quality}`;
  part('note').textContent = text;
}

function newest() {
  const times = [...candles.keys()].sort((one, two) => one - two).slice(-SHOWN);
  return times.map((time) => candles.get(time));
}

function note() {
  const last = newest().at(-1);
  if (!last) return '';
  part('price').textContent = last.close;
  const time = new Date(last.candle_time).toISOString().slice(11, 16);
  return `${time} UTC, volume ${last.volume}, ${last.trades_count} trades`;
}

function draw() {
  const shown = newest();
  const {width, height} = canvas.getBoundingClientRect();
  if (!shown.length || !width) return;
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext('2d');
  pen.scale(scale, scale);
  const colours = getComputedStyle(document.documentElement);
  const top = Math.max(...shown.map((candle) => candle.high));
  const bottom = Math.min(...shown.map((candle) => candle.low));
  const busiest = Math.max(...shown.map((candle) => candle.volume)) || 1;
  const bars = height * 0.18;
  const y = (price) => 8 + (height - bars - 20) * (top > bottom ? (top - price) / (top - bottom) : 0.5);
  const step = width / SHOWN;
  shown.forEach((candle, index) => {
    const x = width - (shown.length - index - 0.5) * step;
    const rises = candle.close >= candle.open;
    pen.fillStyle = colours.getPropertyValue(rises ? '--up' : '--down');
    pen.fillRect(x - 0.5, y(candle.high), 1, y(candle.low) - y(candle.high));
    const head = y(Math.max(candle.open, candle.close));
    const body = Math.max(1, y(Math.min(candle.open, candle.close)) - head);
    pen.fillRect(x - step * 0.35, head, step * 0.7, body);
    pen.globalAlpha = 0.35;
    const bar = (candle.volume / busiest) * bars;
    pen.fillRect(x - step * 0.35, height - bar, step * 0.7, bar);
    pen.globalAlpha = 1;
  });
}

window.addEventListener('resize', draw);
document.addEventListener('themechange', draw);
// A copy of these pages on another server has nothing to draw.
start().catch(() => {});
