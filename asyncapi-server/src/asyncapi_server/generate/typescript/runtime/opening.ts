/** Opening a connection: its URL and its headers. */

import { Connection } from "./connection.js";
import { CannotConnect } from "./errors.js";
import type { Incoming } from "./messages.js";
import type { Shapes } from "./values.js";

const OPEN_MS = 10_000;

/** Open a connection. Throws CannotConnect. Browsers send no headers. */
export function open(
  url: string,
  incoming: readonly Incoming[],
  shapes: Shapes,
  headers: Record<string, unknown>,
  replyMs: number,
): Promise<Connection> {
  const given = entries(headers);
  // Node takes headers where browsers take protocols.
  const options = given.length > 0 ? { headers: Object.fromEntries(given) } : undefined;
  return new Promise((resolve, reject) => {
    const socket = opened(url, options as unknown as string[]);
    const connection = new Connection(socket, incoming, shapes, replyMs);
    const settle = () => {
      clearTimeout(timer);
      socket.removeEventListener("open", accept);
      socket.removeEventListener("close", refuse);
      socket.removeEventListener("error", refuse);
    };
    const accept = () => {
      settle();
      resolve(connection);
    };
    const refuse = () => {
      settle();
      socket.close();
      reject(new CannotConnect(`${url} cannot be connected to`));
    };
    const timer = setTimeout(refuse, OPEN_MS);
    socket.addEventListener("open", accept);
    socket.addEventListener("close", refuse);
    socket.addEventListener("error", refuse);
  });
}

/** A socket that is being connected. Throws CannotConnect for what is no URL of one. */
function opened(url: string, options: string[]): WebSocket {
  try {
    return new WebSocket(url, options);
  } catch (error) {
    throw new CannotConnect(`${url} cannot be connected to: ${String(error)}`);
  }
}

/** The URL of a channel below that of its server. */
export function address(
  url: string,
  path: string,
  parameters: Record<string, unknown>,
  query: Record<string, unknown>,
): string {
  const [base = "", own] = url.split("?", 2);
  const filled = path.replace(/\{([^{}]*)\}/g, (_, name: string) =>
    encodeURIComponent(String(parameters[name])),
  );
  const [route = "", fixed] = filled.replace(/^\/+/, "").split("?", 2);
  const pairs = entries(query).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  const root = base.replace(/\/+$/, "");
  const whole = route === "" ? root : `${root}/${route}`;
  const queries = [own, fixed, ...pairs].filter(Boolean).join("&");
  return queries === "" ? whole : `${whole}?${queries}`;
}

/** The values that are given, as texts; each element of a list by itself. */
function entries(values: Record<string, unknown>): [string, string][] {
  return Object.entries(values).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((each) => each !== undefined && each !== null)
      .map((each): [string, string] => [name, String(each)]),
  );
}
