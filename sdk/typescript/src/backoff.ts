/**
 * Pauses in seconds between attempts to connect, with jitter so that clients do not reconnect at
 * once. The first is about `first`, each twice the one before, none above `most`. After a
 * connection that lasted `steady` seconds the pauses start from `first` again.
 */
export interface Backoff {
  readonly first: number;
  readonly most: number;
  readonly steady: number;
}

export const BACKOFF: Backoff = { first: 0.5, most: 30, steady: 10 };

/** The pause before an attempt, counted from 0: between half of its step and all of it. */
export function pause(backoff: Backoff, attempt: number, chance = Math.random): number {
  const step = Math.min(backoff.most, backoff.first * 2 ** Math.min(attempt, 32));
  return step * (0.5 + chance() / 2);
}
