// The faults that the validator finds, in words.

import { lookup, tokens } from './json.js';

const MAX_LISTED = 8;
/** Keywords whose own fault only says that there are others below. */
const CONTAINERS = new Set([
  '$ref', 'additionalItems', 'additionalProperties', 'allOf', 'dependentSchemas', 'if', 'items',
  'patternProperties', 'properties',
]);
/** Keywords whose faults below say nothing to a reader. */
const WHOLES = new Set(['contains', 'propertyNames']);

/**
 * The faults of a value. `errors` are those of the validator, `raw` gives the text of a part of the
 * schema by its pointer.
 */
export function faults(errors, value, raw) {
  const found = new Map();
  for (const error of leaves(errors)) {
    const pointer = decoded(error.instanceLocation);
    const text = sentence(error, lookup(value, tokens(pointer)), raw);
    found.set(`${pointer} ${text}`, { pointer, text });
  }
  return [...found.values()];
}

/** The causes among the errors: for a choice, those of the alternative that was meant. */
function leaves(errors) {
  const result = [];
  for (let index = 0; index < errors.length; index += 1) {
    const error = errors[index];
    const below = `${error.keywordLocation}/`;
    const isChoice = error.keyword === 'anyOf' || error.keyword === 'oneOf';
    if (!isChoice && !WHOLES.has(error.keyword)) {
      if (!CONTAINERS.has(error.keyword)) {
        result.push(error);
      }
      continue;
    }
    const children = [];
    while (errors[index + 1]?.keywordLocation.startsWith(below)) {
      index += 1;
      children.push(errors[index]);
    }
    result.push(...(isChoice ? meant(error, children, below) : [error]));
  }
  return result;
}

/** The causes in the alternative with the fewest faults at the value itself, then in all. */
function meant(error, children, below) {
  if (/\((?:[2-9]|\d\d+) matches\)/.test(error.error)) {
    return [error];
  }
  const branches = new Map();
  for (const child of children) {
    const branch = child.keywordLocation.slice(below.length).split('/', 1)[0];
    branches.set(branch, [...(branches.get(branch) ?? []), child]);
  }
  const isHere = (each) => each.instanceLocation === error.instanceLocation;
  const ranked = [...branches.values()].map((branch) => leaves(branch));
  ranked.sort((a, b) => a.filter(isHere).length - b.filter(isHere).length || a.length - b.length);
  const best = ranked[0] ?? [];
  const known = ranked.filter((branch) => isConstant(branch) && branch.length === best.length);
  if (known.length > 1) {
    const others = known.slice(1).map(([each]) => each.keywordLocation);
    return [{ ...best[0], others }];
  }
  return best.some((each) => !isHere(each)) || ranked.length === 1 ? best : [error];
}

/** Whether only a constant is wrong: in such alternatives, the one that distinguishes them. */
function isConstant(branch) {
  return branch.length === 1 && branch[0].keyword === 'const';
}

function sentence(error, value, raw) {
  const text = (location) => shortened(raw(located(location, raw)));
  const schema = () => text(error.keywordLocation);
  switch (error.keyword) {
    case 'type':
      return typeof value === 'number' && schema() === '"integer"'
        ? 'has to be a whole number'
        : `is ${kind(value)}, and has to be ${types(schema())}`;
    case 'const':
      return `has to be ${listed([error.keywordLocation, ...(error.others ?? [])].map(text))}`;
    case 'enum': {
      const { length } = JSON.parse(raw(located(error.keywordLocation, raw)) || '[]');
      const each = Array.from({ length }, (_, number) => `${error.keywordLocation}/${number}`);
      return `has to be ${listed(each.map(text))}`;
    }
    case 'required':
    case 'dependentRequired':
      return `${/"(?:[^"\\]|\\.)*"(?=\.$)/.exec(error.error)?.[0] ?? 'a member'} is missing`;
    case 'false':
      return 'is not admitted here';
    case 'not':
      return 'is a value that the schema excludes';
    case 'anyOf':
    case 'oneOf':
      return /\(([2-9]|\d\d+) matches\)/.test(error.error)
        ? 'meets more than one of the alternatives'
        : 'meets none of the alternatives';
    case 'minimum':
      return `is below ${schema()}`;
    case 'maximum':
      return `is above ${schema()}`;
    case 'exclusiveMinimum':
      return `has to be above ${schema()}`;
    case 'exclusiveMaximum':
      return `has to be below ${schema()}`;
    case 'multipleOf':
      return `is no multiple of ${schema()}`;
    case 'minLength':
      return `is shorter than ${counted(schema(), 'character')}`;
    case 'maxLength':
      return `is longer than ${counted(schema(), 'character')}`;
    case 'minItems':
      return `has fewer than ${counted(schema(), 'element')}`;
    case 'maxItems':
      return `has more than ${counted(schema(), 'element')}`;
    case 'minProperties':
      return `has fewer than ${counted(schema(), 'member')}`;
    case 'maxProperties':
      return `has more than ${counted(schema(), 'member')}`;
    case 'uniqueItems':
      return 'has an element twice';
    case 'pattern':
      return `does not match ${schema()}`;
    case 'contains':
      return 'has no element of the kind that it needs';
    case 'propertyNames':
      return `has a field of a name that is not admitted: ${/"(.*)" does not/.exec(error.error)?.[1]}`;
    default:
      return error.error;
  }
}

/** The pointer in the schema that a location means, which leads through references. */
function located(location, raw) {
  let pointer = '';
  for (const token of location.split('/').slice(1)) {
    const step = decodeURIComponent(token);
    const target = step === '$ref' ? raw(`${pointer}/$ref`) : '';
    // A property may be named $ref, too.
    pointer = target.startsWith('"') ? JSON.parse(target).slice(1) : `${pointer}/${step}`;
  }
  return pointer;
}

/** The JSON pointer of a location in the value, which is the fragment of a URL. */
function decoded(location) {
  return decodeURIComponent(location.slice(1));
}

function kind(value) {
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'an array';
  }
  return { boolean: 'true or false', number: 'a number', object: 'an object', string: 'text' }[
    typeof value
  ] ?? 'missing';
}

function types(text) {
  const names = {
    array: 'an array', boolean: 'true or false', integer: 'a whole number', null: 'null',
    number: 'a number', object: 'an object', string: 'text',
  };
  const declared = JSON.parse(text || '"value"');
  const listedTypes = [declared].flat().map((name) => names[name] ?? name);
  return listedTypes.join(' or ');
}

function listed(texts) {
  if (texts.length < 3) {
    return texts.join(' or ');
  }
  const more = texts.length - MAX_LISTED;
  return `one of ${texts.slice(0, MAX_LISTED).join(', ')}${more > 0 ? ` and ${more} others` : ''}`;
}

function counted(text, unit) {
  return `${text} ${unit}${text === '1' ? '' : 's'}`;
}

function shortened(text) {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
