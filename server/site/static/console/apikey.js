// The API key of this tab. It is kept in the tab's session alone, and never part of an address.

const NAME = 'candlecast.key';

/** The key that was given; "" without one, as where a browser keeps nothing. */
export function apiKey() {
  try {
    return sessionStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} text a key; "" forgets the one before */
export function keepApiKey(text) {
  if (text) sessionStorage.setItem(NAME, text);
  else sessionStorage.removeItem(NAME);
}
