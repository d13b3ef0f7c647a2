// The drawing of one chart: candles or a line, volumes and overlays, by TradingView's library.

import {
  CandlestickSeries,
  CrosshairMode,
  HistogramSeries,
  LineSeries,
  TickMarkType,
  createChart,
} from '../lightweight-charts/lightweight-charts.standalone.production.mjs';
import * as format from './format.js';
import * as overlays from './overlays.js';
import {colours} from './theme.js';

/** @import {IChartApi, ISeriesApi, UTCTimestamp} from 'lightweight-charts' */
/** @import {Candle} from './candles.js' */
/** @import {Overlay} from './overlays.js' */

/** @typedef {{overlay: Overlay, value: number | null, colour: string}} OverlayValue */

const NEAR = 40;
const BAR_SPACING = 8;
const WIDEST_BAR = 24;
const MARGIN = 3;
const OVERLAY_COLOURS = /** @type {const} */ (['--line-1', '--line-2', '--line-3', '--line-4']);
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** @param {Candle} candle */
function seconds(candle) {
  return /** @type {UTCTimestamp} */ (candle.candle_time / 1000);
}

/**
 * @param {unknown} time
 * @returns {Date}
 */
function date(time) {
  return new Date(Number(time) * 1000);
}

/**
 * @param {unknown} time
 * @param {TickMarkType} kind
 */
function tick(time, kind) {
  const at = date(time);
  if (kind === TickMarkType.Year) return String(at.getUTCFullYear());
  if (kind === TickMarkType.Month) return MONTHS[at.getUTCMonth()] ?? '';
  if (kind === TickMarkType.DayOfMonth) return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
  return at.toISOString().slice(11, 16);
}

export class ChartView {
  /** @type {IChartApi} */
  #chart;
  /** @type {ISeriesApi<'Candlestick'> | ISeriesApi<'Line'>} */
  #prices;
  /** @type {ISeriesApi<'Histogram'>} */
  #volumes;
  /** @type {{overlay: Overlay, series: ISeriesApi<'Line'>, values: (number | null)[], colour: string}[]} */
  #overlays = [];
  /** @type {readonly Candle[]} */
  #candles = [];
  /** @type {'candles' | 'line'} */
  #style = 'candles';
  #places = 0;
  #colours = colours();

  /**
   * @param {HTMLElement} host
   * @param {{older: () => void, pointed: (time: number | null) => void}} on `older` is called when
   *   the oldest candles come into sight, `pointed` with the time in milliseconds below the crosshair
   */
  constructor(host, on) {
    this.#chart = createChart(host, {
      autoSize: true,
      layout: {attributionLogo: false, background: {color: 'transparent'}, fontSize: 11},
      crosshair: {mode: CrosshairMode.Normal},
      timeScale: {timeVisible: true, barSpacing: BAR_SPACING, tickMarkFormatter: tick, minBarSpacing: 0.5},
      localization: {timeFormatter: (/** @type {unknown} */ time) => format.time(date(time).getTime())},
    });
    this.#prices = this.#addPrices();
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      priceFormat: {type: 'custom', formatter: format.compact, minMove: 1e-8},
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#volumes.priceScale().applyOptions({scaleMargins: {top: 0.84, bottom: 0}, visible: false});
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && this.#candles.length && range.from < NEAR) on.older();
    });
    this.#chart.subscribeCrosshairMove(({time}) =>
      on.pointed(time === undefined ? null : date(time).getTime()),
    );
    this.recolour();
  }

  /** Release the canvas and its observers. */
  remove() {
    this.#chart.remove();
  }

  /**
   * Show candles in place of all before, where the reader is.
   *
   * @param {readonly Candle[]} candles
   */
  show(candles) {
    const isFirst = !this.#candles.length;
    this.#candles = candles;
    this.#measure(candles);
    this.#prices.setData(candles.map((each) => this.#price(each)));
    this.#volumes.setData(candles.map((each) => this.#volume(each)));
    for (const line of this.#overlays) this.#draw(line);
    if (isFirst && candles.length) this.latest();
  }

  /**
   * Show one candle of those that are shown as it is now, or a new one.
   *
   * @param {readonly Candle[]} candles
   * @param {Candle} candle
   */
  update(candles, candle) {
    this.#candles = candles;
    this.#measure([candle]);
    const isLast = candle === candles.at(-1);
    this.#prices.update(/** @type {any} */ (this.#price(candle)), !isLast);
    this.#volumes.update(this.#volume(candle), !isLast);
    for (const line of this.#overlays) {
      if (!isLast) {
        this.#draw(line);
        continue;
      }
      line.values = overlays.values(line.overlay, candles);
      const value = line.values.at(-1) ?? null;
      if (value !== null) line.series.update({time: seconds(candle), value});
    }
  }

  /** @param {'candles' | 'line'} style */
  style(style) {
    if (style === this.#style) return;
    this.#style = style;
    this.#chart.removeSeries(this.#prices);
    this.#prices = this.#addPrices();
    this.#prices.setData(this.#candles.map((each) => this.#price(each)));
    this.recolour();
  }

  /** @param {readonly Overlay[]} chosen */
  overlay(chosen) {
    for (const {series} of this.#overlays) this.#chart.removeSeries(series);
    this.#overlays = chosen.map((overlay, index) => {
      const series = this.#chart.addSeries(LineSeries, {
        lineWidth: 1,
        lastValueVisible: false,
        priceLineVisible: false,
        crosshairMarkerVisible: false,
        priceFormat: this.#priceFormat(),
      });
      const colour = OVERLAY_COLOURS[index % OVERLAY_COLOURS.length] ?? '--line-1';
      return {overlay, series, values: [], colour};
    });
    for (const line of this.#overlays) this.#draw(line);
    this.recolour();
  }

  /**
   * The values of the overlays at the index of a candle.
   *
   * @param {number} index
   * @returns {OverlayValue[]}
   */
  valuesAt(index) {
    return this.#overlays.map(({overlay, values, colour}) => {
      return {overlay, value: values[index] ?? null, colour};
    });
  }

  /** The number of decimal places of the prices. */
  get places() {
    return this.#places;
  }

  /** Take the colours of the theme. */
  recolour() {
    const now = (this.#colours = colours());
    this.#chart.applyOptions({
      layout: {textColor: now('--quiet'), fontFamily: getComputedStyle(document.body).fontFamily},
      grid: {vertLines: {color: now('--grid')}, horzLines: {color: now('--grid')}},
      rightPriceScale: {borderColor: now('--line')},
      timeScale: {borderColor: now('--line')},
      crosshair: {
        vertLine: {color: now('--quiet'), labelBackgroundColor: now('--label')},
        horzLine: {color: now('--quiet'), labelBackgroundColor: now('--label')},
      },
    });
    const [up, down, line] = [now('--up'), now('--down'), now('--link')];
    this.#prices.applyOptions(
      /** @type {any} */ (
        this.#style === 'line'
          ? {color: line}
          : {upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false}
      ),
    );
    this.#volumes.setData(this.#candles.map((each) => this.#volume(each)));
    for (const {series, colour} of this.#overlays) series.applyOptions({color: now(colour)});
  }

  /**
   * The times of the first and the last candle in sight; null where there is none.
   *
   * @returns {{from: number, to: number} | null}
   */
  visible() {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    const last = this.#candles.length - 1;
    if (!range || last < 0) return null;
    const from = this.#candles[Math.min(last, Math.max(0, Math.ceil(range.from)))];
    const to = this.#candles[Math.min(last, Math.max(0, Math.floor(range.to)))];
    return from && to ? {from: from.candle_time, to: to.candle_time} : null;
  }

  /**
   * Move by a number of candles, to the past where it is negative.
   *
   * @param {number} candles
   */
  pan(candles) {
    const scale = this.#chart.timeScale();
    scale.scrollToPosition(scale.scrollPosition() + candles, false);
  }

  /** The number of candles in sight. */
  width() {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    return range ? range.to - range.from : 0;
  }

  /**
   * Show `factor` times as many candles, the newest of them kept in place.
   *
   * @param {number} factor
   */
  zoom(factor) {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range) scale.setVisibleLogicalRange({from: range.to - (range.to - range.from) * factor, to: range.to});
  }

  /** Show the newest candles, at the usual width, or wider where they are few. */
  latest() {
    const scale = this.#chart.timeScale();
    const room = scale.width() / Math.max(1, this.#candles.length + MARGIN);
    this.#chart.priceScale('right').applyOptions({autoScale: true});
    scale.applyOptions({barSpacing: Math.min(WIDEST_BAR, Math.max(BAR_SPACING, room)), rightOffset: MARGIN});
    scale.scrollToPosition(MARGIN, false);
  }

  /** Show the oldest candles that are here. */
  oldest() {
    const width = this.width();
    this.#chart.timeScale().setVisibleLogicalRange({from: 0, to: width});
  }

  #addPrices() {
    const options = {priceFormat: this.#priceFormat()};
    const series =
      this.#style === 'line'
        ? this.#chart.addSeries(LineSeries, {...options, lineWidth: 2})
        : this.#chart.addSeries(CandlestickSeries, options);
    series.priceScale().applyOptions({scaleMargins: {top: 0.12, bottom: 0.2}});
    return series;
  }

  #priceFormat() {
    const places = this.#places;
    return /** @type {const} */ ({type: 'price', precision: places, minMove: 10 ** -places});
  }

  /**
   * Have as many decimal places as the prices of candles.
   *
   * @param {readonly Candle[]} candles
   */
  #measure(candles) {
    let most = this.#places;
    for (const {open, high, low, close} of candles) {
      for (const price of [open, high, low, close]) most = Math.max(most, format.places(price));
    }
    if (most === this.#places) return;
    this.#places = most;
    for (const series of [this.#prices, ...this.#overlays.map((each) => each.series)]) {
      series.applyOptions({priceFormat: this.#priceFormat()});
    }
  }

  /**
   * @param {Candle} candle
   * @returns {any} of the kind of the series
   */
  #price(candle) {
    const time = seconds(candle);
    const close = Number(candle.close);
    if (this.#style === 'line') return {time, value: close};
    return {time, open: Number(candle.open), high: Number(candle.high), low: Number(candle.low), close};
  }

  /** @param {Candle} candle */
  #volume(candle) {
    const rises = Number(candle.close) >= Number(candle.open);
    const color = this.#colours(rises ? '--up' : '--down').replace(/^rgb\((.*)\)$/, 'rgba($1, 0.35)');
    return {time: seconds(candle), value: Number(candle.volume), color};
  }

  /** @param {{overlay: Overlay, series: ISeriesApi<'Line'>, values: (number | null)[]}} line */
  #draw(line) {
    line.values = overlays.values(line.overlay, this.#candles);
    line.series.setData(
      this.#candles.map((candle, index) => {
        const value = line.values[index] ?? null;
        return value === null ? {time: seconds(candle)} : {time: seconds(candle), value};
      }),
    );
  }
}
