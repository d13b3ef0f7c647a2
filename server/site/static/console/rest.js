// The server's REST API.

import {apiKey} from './apikey.js';
import * as exact from './exact.js';

const BASE = new URL('api/v1/', document.baseURI);

/** A request that was refused, or that found no server. */
export class RestError extends Error {
  /**
   * @param {string} message
   * @param {string} code the `error_code` of the reply; "" without a reply
   * @param {number} retryAfter seconds
   */
  constructor(message, code = '', retryAfter = 0) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/**
 * The address of a path with its parameters.
 *
 * @param {string} path
 * @param {Record<string, string | number>} parameters
 */
export function url(path, parameters = {}) {
  const address = new URL(path, BASE);
  for (const [name, value] of Object.entries(parameters)) {
    address.searchParams.set(name, String(value));
  }
  return address;
}

/**
 * The reply to a request; throws RestError.
 *
 * @param {string} path
 * @param {Record<string, string | number>} [parameters]
 * @param {{method?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function request(path, parameters = {}, options = {}) {
  let response;
  let text;
  try {
    const key = apiKey();
    const headers = key ? {'X-API-Key': key} : {};
    response = await fetch(url(path, parameters), {...options, headers});
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new RestError('The server does not answer.');
  }
  let reply;
  try {
    reply = exact.parse(text);
  } catch {
    throw new RestError(`The reply with status ${response.status} is not JSON.`);
  }
  if (response.ok || reply.status) return reply;
  const pause = Number(response.headers.get('Retry-After') ?? 0);
  throw new RestError(String(reply.error ?? response.statusText), String(reply.error_code ?? ''), pause);
}
