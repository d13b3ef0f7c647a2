// Close codes of WebSocket connections in words (RFC 6455 and the registry of IANA).

const MEANINGS = {
  1000: 'ended as intended',
  1001: 'the server goes away, or this page does',
  1002: 'one side broke the protocol',
  1003: 'the server does not take this kind of data',
  1005: 'ended without a code',
  1006: 'lost, without a word from the server',
  1007: 'a message was not valid in its encoding',
  1008: 'the server refuses what was sent',
  1009: 'a message was too large',
  1010: 'the server lacks an extension',
  1011: 'the server had a fault',
  1012: 'the server restarts',
  1013: 'the server is too busy: try again later',
  1014: 'a gateway got a wrong answer',
  1015: 'the TLS handshake failed',
  3000: 'not authorised',
  3003: 'forbidden',
  3008: 'it took too long',
};

/** The end of a connection in words; `wasOpen` says whether it had been opened. */
export function explained({ code, reason }, wasOpen) {
  if (!wasOpen) {
    return 'could not be opened: no server answers there, or it refuses this page';
  }
  const known = MEANINGS[code] ?? (code >= 4000 ? 'a code of this server' : 'an unknown code');
  return `${code}, ${known}${reason ? `: “${reason}”` : ''}`;
}
