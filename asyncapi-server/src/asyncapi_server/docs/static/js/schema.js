// JSON Schemas of messages, by @cfworker/json-schema: the verdicts are those of the server.

import { at, read } from './json.js';
import { faults } from './words.js';
import { dereference, schemaArrayKeyword, schemaKeyword, schemaMapKeyword } from '../vendor/cfworker-json-schema/dereference.js';
import { validate } from '../vendor/cfworker-json-schema/validate.js';

const BASE = new URL('https://schema.invalid/');
const DRAFT = '7';
const IDENTITY_ESCAPE = /\\(?:([^\w\s^$\\.*+?()[\]{}|/-])|(-))/gu;

/** A self-contained schema of draft 7, compiled when it is first needed. */
export class Schema {
  #text;
  #schema;
  #lookup;
  #tree;

  constructor(text) {
    this.#text = text;
  }

  /** Whether a value meets the schema. */
  isValid(value) {
    this.#compile();
    return validate(value, this.#schema, DRAFT, this.#lookup, true).valid;
  }

  /** The faults of a value: each with its `pointer`, and `text` in words. */
  faults(value) {
    this.#compile();
    const { errors } = validate(value, this.#schema, DRAFT, this.#lookup, false);
    return faults(errors, value, (pointer) => this.#raw(pointer));
  }

  #compile() {
    if (this.#schema === undefined) {
      this.#schema = prepared(JSON.parse(this.#text));
      this.#lookup = dereference(this.#schema, Object.create(null), BASE);
    }
  }

  /** The text of a part of the schema, as it was written; "" without one. */
  #raw(pointer) {
    this.#tree ??= read(this.#text);
    const node = at(this.#tree, pointer);
    return node === undefined ? '' : this.#text.slice(node.start, node.end);
  }
}

/** A copy of a schema that the library reads as it is meant. */
function prepared(schema) {
  if (schema === null || typeof schema !== 'object') {
    return schema;
  }
  const result = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'pattern' && typeof value === 'string') {
      result.pattern = readable(value);
    } else if (keyword === 'patternProperties') {
      result[keyword] = mapped(value, readable);
    } else if (keyword === 'dependencies') {
      const isNames = ([, each]) => Array.isArray(each);
      const entries = Object.entries(value);
      result.dependentRequired = Object.fromEntries(entries.filter(isNames));
      result.dependentSchemas = mapped(
        Object.fromEntries(entries.filter((each) => !isNames(each))),
      );
    } else if (Object.hasOwn(schemaMapKeyword, keyword)) {
      result[keyword] = mapped(value);
    } else if (Object.hasOwn(schemaArrayKeyword, keyword) && Array.isArray(value)) {
      result[keyword] = value.map(prepared);
    } else {
      result[keyword] = Object.hasOwn(schemaKeyword, keyword) ? prepared(value) : value;
    }
  }
  return result;
}

function mapped(schemas, name = (key) => key) {
  const entries = Object.entries(schemas).map(([key, value]) => [name(key), prepared(value)]);
  return Object.fromEntries(entries);
}

/** A pattern that can be compiled with the flag `u`; one that cannot be matches everything. */
function readable(pattern) {
  for (const form of [pattern, pattern.replace(IDENTITY_ESCAPE, plain)]) {
    try {
      new RegExp(form, 'u');
      return form;
    } catch {
      // The next form may do.
    }
  }
  return '';
}

/** An escape that means the character itself, and that the flag `u` refuses. */
function plain(_, character, dash) {
  return dash ? '\\x2d' : character;
}
