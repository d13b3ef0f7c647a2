// The search without its page: which places of the site have the words that are asked for.

const MOST = 30;
const MOST_OF_A_PAGE = 6;
const EXCERPT_CHARS = 160;
const TITLE = 7;
const HEADING = 5;
const EXACT = 50;
const PHRASE = 12;
const [WHOLE, PART, BEGINS, BEGINS_PART, INSIDE] = [8, 6, 5, 3, 1];
const OF_WORD = /[\p{L}\p{N}]/u;

/** The places of an index, prepared for `ranked`. */
export function prepared({pages, places}) {
  return places.map(([page, anchor, heading, above, text]) => {
    const [path, title] = pages[page];
    return {
      path, title, anchor, heading, above, text,
      names: heading.toLowerCase().split(' · '),
      fields: {
        title: title.toLowerCase(), heading: heading.toLowerCase(), text: text.toLowerCase(),
        above: above.toLowerCase(),
      },
    };
  });
}

/** The words of a query. */
export function wordsOf(query) {
  return query.toLowerCase().split(/\s+/).filter(Boolean);
}

/** The places that have all of the words, the best first. */
export function ranked(places, words) {
  const found = [];
  for (const [number, place] of places.entries()) {
    const points = score(place, words);
    if (points) found.push({points, number, place});
  }
  found.sort((a, b) => b.points - a.points || a.number - b.number);
  const counts = new Map();
  return found.map(({place}) => place).filter(({path}) => {
    counts.set(path, (counts.get(path) ?? 0) + 1);
    return counts.get(path) <= MOST_OF_A_PAGE;
  }).slice(0, MOST);
}

function score({anchor, names, fields}, words) {
  const phrase = words.join(' ');
  let points = names.includes(phrase) ? EXACT : 0;
  if (words.length > 1 && fields.text.includes(phrase)) points += PHRASE;
  for (const word of words) {
    // A page's title counts for its beginning; below it only says which page a heading is of.
    const best = Math.max(
      (anchor ? 1 : TITLE) * quality(fields.title, word),
      HEADING * quality(fields.heading, word),
      quality(fields.above, word),
      quality(fields.text, word),
    );
    if (!best) return 0;
    points += best;
  }
  return points;
}

/** How well a text has a word: as a whole or a part of one ("a_b"), their beginning, or inside. */
function quality(text, word) {
  let best = 0;
  for (let at = text.indexOf(word); at >= 0 && best < WHOLE; at = text.indexOf(word, at + 1)) {
    const before = text[at - 1] ?? ' ', after = text[at + word.length] ?? ' ';
    if (OF_WORD.test(before)) best = Math.max(best, INSIDE);
    else if (OF_WORD.test(after)) best = Math.max(best, before === '_' ? BEGINS_PART : BEGINS);
    else best = Math.max(best, before === '_' || after === '_' ? PART : WHOLE);
  }
  return best;
}

/** The part of a text around the words as they stand in the query, or else around the first one. */
export function excerpt(text, words) {
  const lower = text.toLowerCase();
  const places = [words.join(' '), ...words].map((each) => lower.indexOf(each)).filter((at) => at >= 0);
  const at = lower.includes(words.join(' ')) ? places[0] : Math.min(...places);
  const start = Number.isFinite(at) ? Math.max(0, at - EXCERPT_CHARS / 4) : 0;
  const from = start && text.indexOf(' ', start) + 1;
  const isCut = text.length > from + EXCERPT_CHARS;
  const end = isCut ? text.lastIndexOf(' ', from + EXCERPT_CHARS) : text.length;
  return `${from ? '… ' : ''}${text.slice(from, end > from ? end : from + EXCERPT_CHARS)}${isCut ? ' …' : ''}`;
}

/** A text in pieces, with those that are one of the words. */
export function marked(text, words) {
  const lower = text.toLowerCase();
  const pieces = [];
  let at = 0;
  while (at < text.length) {
    const [from, word] = words.map((each) => [lower.indexOf(each, at), each])
      .filter(([found]) => found >= 0)
      .sort(([a, one], [b, other]) => a - b || other.length - one.length)[0] ?? [text.length, ''];
    if (from > at) pieces.push({text: text.slice(at, from), isMarked: false});
    if (word) pieces.push({text: text.slice(from, from + word.length), isMarked: true});
    at = from + word.length;
  }
  return pieces;
}
