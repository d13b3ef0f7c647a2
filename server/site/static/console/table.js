// The newest candles of a chart as a table, in a dialog.

import {element} from './dom.js';
import * as format from './format.js';

/** @import {Panel} from './panel.js' */

const SHOWN = 100;

export class Table {
  /** @type {HTMLDialogElement} */
  #dialog;
  /** @type {HTMLHeadingElement} */
  #title;
  /** @type {HTMLTableSectionElement} */
  #body;
  /** @type {Panel | null} */
  #panel = null;
  #shown = '';

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    const title = dialog.querySelector('h2');
    const body = dialog.querySelector('tbody');
    if (!title || !body) throw new TypeError('the dialog has no table');
    this.#dialog = dialog;
    this.#title = title;
    this.#body = body;
    dialog.addEventListener('close', () => this.#panel?.focus());
  }

  /** @param {Panel} panel */
  show(panel) {
    this.#panel = panel;
    this.#shown = '';
    this.refresh();
    this.#dialog.showModal();
  }

  /** Show the candles as they are now, while the dialog is open. */
  refresh() {
    const panel = this.#panel;
    if (!panel) return;
    const candles = panel.candles.list.slice(-SHOWN).reverse();
    const texts = candles.map((candle) => [
      format.time(candle.candle_time),
      ...[candle.open, candle.high, candle.low, candle.close].map((each) => format.fixed(each, panel.places)),
      String(candle.volume),
      format.count(candle.trades_count),
    ]);
    const now = texts.join();
    if (now === this.#shown) return;
    this.#shown = now;
    this.#title.textContent = `${panel.name}: the newest ${candles.length} candles, newest first`;
    this.#body.replaceChildren(
      ...texts.map(([time = '', ...rest]) => {
        const head = element('th', {scope: 'row'}, time);
        return element('tr', {}, head, ...rest.map((text) => element('td', {}, text)));
      }),
    );
  }
}
