/** REST: the generated operations over HTTP. */

import { ConnectionLost, ContractBroken, InvalidCall, RestError } from "./errors.js";
import { type Query, REST_BASE_PATH, RestOperations } from "./generated/rest.js";
import type { ErrorEnvelope } from "./generated/types.js";
import { read } from "./json.js";

const TIMEOUT_MS = 30_000;

/**
 * Every REST operation as a method.
 *
 * A call is rejected with RestError for an error reply, ConnectionLost when there is no reply,
 * ContractBroken when it is not JSON and InvalidCall when the request cannot be sent. Calls are
 * not retried.
 */
export class RestClient extends RestOperations {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  /** `url` is of the form `http://localhost:8080`; `key` is presented with every request. */
  constructor(url: string, key?: string) {
    super();
    this.#base = url + REST_BASE_PATH;
    this.#headers = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  }

  protected override async call<T>(
    method: string,
    path: string,
    names: Record<string, string | number>,
    query: Query,
    statuses: readonly number[],
  ): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => segment(name, names[name]));
    const target = `${this.#base}${filled}${given.length > 0 ? `?${parameters}` : ""}`;
    const [response, body] = await fetch(target, {
      method,
      headers: this.#headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
      .then(async (answer) => [answer, await answer.text()] as const)
      .catch((error: unknown) => {
        throw new ConnectionLost(`${method} ${filled} failed: ${String(error)}`);
      });
    if (statuses.includes(response.status)) {
      return read(body) as T;
    }
    const seconds = response.headers.get("Retry-After");
    throw new RestError(
      response.status,
      answerOf(body),
      seconds === null || !/^\d+$/.test(seconds) ? undefined : Number(seconds),
    );
  }
}

/** A name or number as a segment of a path. */
function segment(name: string, value: unknown): string {
  if (Number.isSafeInteger(value)) {
    return String(value);
  }
  try {
    if (typeof value === "string" && !["", ".", ".."].includes(value)) {
      return encodeURIComponent(value);
    }
  } catch {
    // a lone surrogate
  }
  throw new InvalidCall(`${name} must be a name, not ${JSON.stringify(value)}`);
}

/** The server's error; undefined when the body is not one. */
function answerOf(body: string): ErrorEnvelope | undefined {
  try {
    const answer = read(body) as Partial<ErrorEnvelope> | null;
    return answer?.error_code === undefined ? undefined : (answer as ErrorEnvelope);
  } catch (error) {
    if (error instanceof ContractBroken) {
      return undefined;
    }
    throw error;
  }
}
