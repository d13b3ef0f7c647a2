// The address of a connection, from the parts that a document names.

const PARAMETER = /\{([^{}]*)\}/g;

/** The URL of a channel on a server; `values` are those of its parameters, `query` of its query. */
export function address(server, channel, values, query) {
  const base = filled(server.url, values, (text) => text);
  const path = filled(channel.address, values, encodeURIComponent);
  const start = base.replace(/\/+$/, '');
  const hasPath = /^[a-z]+:\/\/[^/]+\/./i.test(start);
  const below = path.replace(/^\/+/, '');
  const url = below || !hasPath ? `${start}/${below}` : start;
  const given = Object.entries(query).filter(([, value]) => value !== '');
  const pairs = given.map((pair) => pair.map(encodeURIComponent).join('='));
  return pairs.length ? `${url}${url.includes('?') ? '&' : '?'}${pairs.join('&')}` : url;
}

/** Why an address cannot be opened from this page; "" when it can be tried. */
export function obstacle(url, page) {
  let parsed;
  try {
    parsed = new URL(url);
  } catch {
    return 'This is no address: one begins with ws:// or wss://.';
  }
  if (!['ws:', 'wss:'].includes(parsed.protocol)) {
    return 'An address begins with ws:// or wss://.';
  }
  if (parsed.hash) {
    return 'An address of a WebSocket has no fragment (#).';
  }
  if (PARAMETER.test(decodeURI(parsed.pathname) + parsed.host)) {
    return 'Fill in the parameters in braces first.';
  }
  const isLocal = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname);
  if (page.protocol === 'https:' && parsed.protocol === 'ws:' && !isLocal) {
    return 'A page that came over https cannot open ws://: use wss://, or open a copy of this page.';
  }
  return '';
}

function filled(text, values, encoded) {
  return text.replace(PARAMETER, (whole, name) =>
    values[name] ? encoded(values[name]) : whole,
  );
}
