/** JSON with exact whole numbers, and what its values look like. */

/** Stands before the digits of a long number while it is text; nobody else can write it. */
const MARK = `${Math.random()}${Math.random()}:`;
const LONG = /\d{16}/;
// Strings are matched first, so that no digits within them are.
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/** The way to a member of a message. */
export type Path = readonly string[];

/** What values look like. */
export type Shape =
  | "any"
  | "boolean"
  | "integer"
  | "long"
  | "null"
  | "number"
  | "string"
  | { readonly constants: readonly unknown[] }
  | { readonly named: string }
  | { readonly array: Shape }
  | { readonly tuple: readonly Shape[]; readonly least: number; readonly rest?: Shape }
  | { readonly dictionary: Shape }
  | { readonly members: readonly (readonly [string, Shape, boolean])[]; readonly closed?: boolean }
  | { readonly choice: readonly Shape[] };

/** The shapes of types, by their names. */
export type Shapes = ReadonlyMap<string, Shape>;

/** A whole number of JSON as its digits. */
class Digits {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The value of JSON, in which long whole numbers are Digits; undefined for other text. */
export function read(text: string): unknown {
  try {
    if (!LONG.test(text)) {
      return JSON.parse(text);
    }
    const marked = text.replace(TOKENS, (token) =>
      token.startsWith('"') ? token : JSON.stringify(MARK + token),
    );
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === "string" && value.startsWith(MARK)
        ? new Digits(value.slice(MARK.length))
        : value,
    );
  } catch {
    return undefined;
  }
}

/** A value as JSON; a bigint is a number with all its digits. */
export function write(value: unknown): string {
  const text = JSON.stringify(value, (_, each: unknown) =>
    typeof each === "bigint" ? `${MARK}${each}` : each,
  );
  return text.replaceAll(new RegExp(`"${MARK.replaceAll(".", "\\.")}(-?\\d+)"`, "g"), "$1");
}

/** Whether a parsed value has a shape. */
export function fits(shape: Shape, value: unknown, shapes: Shapes): boolean {
  if (typeof shape === "string") {
    return isScalar(shape, value);
  }
  if ("named" in shape) {
    return fits(shapes.get(shape.named) ?? "any", value, shapes);
  }
  if ("constants" in shape) {
    return shape.constants.includes(plain(value));
  }
  if ("choice" in shape) {
    return shape.choice.some((part) => fits(part, value, shapes));
  }
  if ("array" in shape) {
    return Array.isArray(value) && value.every((each) => fits(shape.array, each, shapes));
  }
  if ("tuple" in shape) {
    return (
      Array.isArray(value) &&
      value.length >= shape.least &&
      value.every((each, index) => {
        const part = shape.tuple[index] ?? shape.rest;
        return part !== undefined && fits(part, each, shapes);
      })
    );
  }
  if (!isObject(value)) {
    return false;
  }
  if ("dictionary" in shape) {
    return Object.values(value).every((each) => fits(shape.dictionary, each, shapes));
  }
  const names = shape.closed === true ? new Set(shape.members.map(([name]) => name)) : undefined;
  return (
    shape.members.every(([name, part, isRequired]) =>
      Object.hasOwn(value, name) ? fits(part, value[name], shapes) : !isRequired,
    ) &&
    (names === undefined || Object.keys(value).every((name) => names.has(name)))
  );
}

function isScalar(kind: string, value: unknown): boolean {
  switch (kind) {
    case "any":
      return true;
    case "null":
      return value === null;
    case "integer":
    case "long":
      return value instanceof Digits || Number.isInteger(value);
    case "number":
      return value instanceof Digits || typeof value === "number";
    default:
      return typeof value === kind;
  }
}

/** A value that has a shape, with bigints where long numbers may be and a number rounds them. */
export function exact(shape: Shape, value: unknown, shapes: Shapes): unknown {
  if (value instanceof Digits) {
    const number = Number(value.text);
    return isLong(shape, shapes) && !Number.isSafeInteger(number) ? BigInt(value.text) : number;
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const whole = resolved(shape, value, shapes);
  if (Array.isArray(value)) {
    return value.map((each, index) => exact(elementOf(whole, index), each, shapes));
  }
  const members = Object.entries(value).map(([name, each]): [string, unknown] => [
    name,
    exact(memberOf(whole, name), each, shapes),
  ]);
  return Object.fromEntries(members);
}

/** The shape that a value has, where the one given is a name or a choice. */
function resolved(shape: Shape, value: unknown, shapes: Shapes): Shape {
  if (typeof shape === "object" && "named" in shape) {
    return resolved(shapes.get(shape.named) ?? "any", value, shapes);
  }
  if (typeof shape === "object" && "choice" in shape) {
    const part = shape.choice.find((each) => fits(each, value, shapes)) ?? "any";
    return resolved(part, value, shapes);
  }
  return shape;
}

function elementOf(shape: Shape, index: number): Shape {
  if (typeof shape === "object" && "array" in shape) {
    return shape.array;
  }
  return typeof shape === "object" && "tuple" in shape
    ? (shape.tuple[index] ?? shape.rest ?? "any")
    : "any";
}

function memberOf(shape: Shape, name: string): Shape {
  if (typeof shape === "object" && "dictionary" in shape) {
    return shape.dictionary;
  }
  const members = typeof shape === "object" && "members" in shape ? shape.members : [];
  return members.find(([each]) => each === name)?.[1] ?? "any";
}

function isLong(shape: Shape, shapes: Shapes): boolean {
  if (typeof shape === "string") {
    return shape === "long";
  }
  if ("named" in shape) {
    return isLong(shapes.get(shape.named) ?? "any", shapes);
  }
  return "choice" in shape && shape.choice.some((part) => isLong(part, shapes));
}

/** A number instead of Digits. */
export function plain(value: unknown): unknown {
  return value instanceof Digits ? Number(value.text) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Digits)
  );
}

/** The value at a path; undefined where there is none. */
export function lookup(value: unknown, path: Path): unknown {
  let found = value;
  for (const token of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, token)) {
      return undefined;
    }
    found = (found as Record<string, unknown>)[token];
  }
  return found;
}

/** A copy of an object with a value set at a path of members. */
export function withMember(value: unknown, path: Path, member: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) {
    return member;
  }
  const whole = value === undefined ? {} : value;
  return isObject(whole) ? { ...whole, [name]: withMember(whole[name], rest, member) } : value;
}
