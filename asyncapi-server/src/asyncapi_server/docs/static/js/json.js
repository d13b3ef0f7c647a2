// JSON text as a tree of places: what is shown is the text itself, so no number is altered.

export const MAX_DEPTH = 200;

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

/** A fault of JSON text, at an offset in it. */
export class JsonFault extends Error {
  constructor(message, offset) {
    super(message);
    this.offset = offset;
  }
}

/**
 * The tree of JSON text: nodes with `kind`, `start` and `end`; objects have `members` with `key`,
 * `start` and `node`, arrays have `elements`. Throws JsonFault.
 */
export function read(text) {
  const reader = new Reader(text);
  const root = reader.value(0);
  reader.space();
  if (reader.at < text.length) {
    throw new JsonFault('nothing may follow the value', reader.at);
  }
  return root;
}

/** The node at a JSON pointer; undefined without one. */
export function at(root, pointer) {
  let node = root;
  for (const token of tokens(pointer)) {
    if (node?.kind === 'object') {
      node = node.members.findLast((member) => member.key === token)?.node;
    } else if (node?.kind === 'array' && /^[0-9]+$/.test(token)) {
      node = node.elements[Number(token)];
    } else {
      return undefined;
    }
  }
  return node;
}

/** The unescaped tokens of a JSON pointer. */
export function tokens(pointer) {
  const parts = pointer.split('/').slice(1);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The value at the tokens of a pointer; undefined without one. */
export function lookup(value, path) {
  for (const token of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, token)) {
      return undefined;
    }
    value = value[token];
  }
  return value;
}

/** JSON text on few lines of at most `width` characters, every token as it was. */
export function formatted(text, width = 76) {
  return lines(text, read(text), 0, width).join('\n');
}

/** Whether a text has an integer that JavaScript can only read roughly. */
export function isRough(text, node) {
  if (node.kind === 'number') {
    const digits = text.slice(node.start, node.end);
    return /^-?[0-9]+$/.test(digits) && !Number.isSafeInteger(Number(digits));
  }
  const inner = node.members?.map((member) => member.node) ?? node.elements ?? [];
  return inner.some((each) => isRough(text, each));
}

/** The line and the column of an offset, both from 1 on. */
export function position(text, offset) {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1).length + 1 };
}

function lines(text, node, indent, width) {
  const inner = node.kind === 'object' ? node.members : node.elements;
  if (!inner?.length) {
    return [flat(text, node)];
  }
  if (indent && node.end - node.start <= 4 * width) {
    const line = flat(text, node);
    if (line.length + indent <= width) {
      return [line];
    }
  }
  const [open, close] = node.kind === 'object' ? '{}' : '[]';
  const result = [open];
  for (const [number, each] of inner.entries()) {
    const block = lines(text, each.node ?? each, indent + 2, width);
    const head = each.node ? `${text.slice(each.start, each.stop)}: ` : '';
    block[0] = head + block[0];
    block[block.length - 1] += number < inner.length - 1 ? ',' : '';
    for (const line of block) {
      result.push(`  ${line}`);
    }
  }
  result.push(close);
  return result;
}

/** A node on one line. */
function flat(text, node) {
  if (node.kind === 'object') {
    const members = node.members.map(
      (each) => `${text.slice(each.start, each.stop)}: ${flat(text, each.node)}`,
    );
    return `{${members.join(', ')}}`;
  }
  if (node.kind === 'array') {
    return `[${node.elements.map((each) => flat(text, each)).join(', ')}]`;
  }
  return text.slice(node.start, node.end);
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  value(depth) {
    this.space();
    if (depth > MAX_DEPTH) {
      throw new JsonFault('it is nested too deeply', this.at);
    }
    const start = this.at;
    const first = this.text[start];
    if (first === '{') {
      return this.object(start, depth);
    }
    if (first === '[') {
      return this.array(start, depth);
    }
    const kind = this.takes(STRING) ? 'string' : this.takes(NUMBER) ? 'number' : 'word';
    if (kind === 'word' && !this.takes(WORD)) {
      throw this.unexpected(first === '"' ? 'this text does not end, or has a wrong escape' : '');
    }
    return { kind, start, end: this.at };
  }

  object(start, depth) {
    const members = [];
    this.at += 1;
    while (!this.closes('}', members.length, 'member')) {
      const keyStart = this.at;
      if (!this.takes(STRING)) {
        throw this.unexpected('the name of a member is expected, in double quotes');
      }
      const stop = this.at;
      this.space();
      if (!this.takesCharacter(':')) {
        throw this.unexpected('a colon is expected');
      }
      const node = this.value(depth + 1);
      members.push({ key: JSON.parse(this.text.slice(keyStart, stop)), start: keyStart, stop, node });
    }
    return { kind: 'object', start, end: this.at, members };
  }

  array(start, depth) {
    const elements = [];
    this.at += 1;
    while (!this.closes(']', elements.length, 'element')) {
      elements.push(this.value(depth + 1));
    }
    return { kind: 'array', start, end: this.at, elements };
  }

  /** Whether the closing bracket is next; else what comes is another member or element. */
  closes(bracket, count, what) {
    this.space();
    if (this.takesCharacter(bracket)) {
      return true;
    }
    if (count > 0) {
      if (!this.takesCharacter(',')) {
        throw this.unexpected(`a comma or ${bracket} is expected after this ${what}`);
      }
      this.space();
      if (this.text[this.at] === bracket) {
        throw this.unexpected(`there is a comma too many before ${bracket}`);
      }
    }
    return false;
  }

  space() {
    this.takes(SPACE);
  }

  takes(pattern) {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) {
      return false;
    }
    this.at = pattern.lastIndex;
    return true;
  }

  takesCharacter(character) {
    if (this.text[this.at] !== character) {
      return false;
    }
    this.at += 1;
    return true;
  }

  unexpected(words) {
    const isEnd = this.at >= this.text.length;
    return new JsonFault(words || (isEnd ? 'the text ends too early' : 'a value is expected'), this.at);
  }
}
