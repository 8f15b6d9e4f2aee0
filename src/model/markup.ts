/**
 * HTML that foreign text may hold, taken out in one pass: each character is looked at a fixed number of times, whatever the
 * text. (An expression such as `/<!--.*?-->/` looks for the end anew from every beginning.) Pure.
 */

/** The text without comments, without scripts and styles with what is in them, and without tags. What never ends stays. */
export function withoutMarkup(text: string): string {
  if (!text.includes('<')) return text;
  return withoutTags(withoutOpaque(withoutComments(text)));
}

/** From where to where: `text.slice(start, end)`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The first of its kind that begins at or after `from`; undefined if there is none. Asked with growing `from`. */
type Search = (from: number) => Span | undefined;

/** A search that looks at no part of the text twice: what it found lasts until it is passed. */
function lasting(search: Search): Search {
  let last: Span | undefined = { start: -1, end: 0 };
  return (from) => {
    if (last !== undefined && last.start < from) last = search(from);
    return last;
  };
}

function searchFor(text: string, mark: string): Search {
  return lasting((from) => {
    const start = text.indexOf(mark, from);
    return start === -1 ? undefined : { start, end: start + mark.length };
  });
}

function withoutComments(text: string): string {
  const begin = searchFor(text, '<!--');
  const end = searchFor(text, '-->');
  return cutOut(text, begin, (opening) => end(opening.end)?.end);
}

function withoutOpaque(text: string): string {
  return ['script', 'style'].reduce(withoutElement, text);
}

/** Without the elements of that name, where they are closed. */
function withoutElement(text: string, name: string): string {
  const lower = asciiLower(text);
  const begin = searchFor(lower, `<${name}`);
  const tagEnd = searchFor(lower, '>');
  const closing = searchForClosing(lower, name);
  return cutOut(text, begin, (opening) => {
    const open = isPartOfName(lower[opening.end]) ? undefined : tagEnd(opening.end);
    return open === undefined ? undefined : closing(open.end)?.end;
  });
}

/** `</script  >` */
function searchForClosing(lower: string, name: string): Search {
  const begin = searchFor(lower, `</${name}`);
  return lasting((from) => {
    for (let found = begin(from); found !== undefined; found = begin(found.end)) {
      let end = found.end;
      while (isBlank(lower[end])) end += 1;
      if (lower[end] === '>') return { start: found.start, end: end + 1 };
    }
    return undefined;
  });
}

function withoutTags(text: string): string {
  const tagEnd = searchFor(text, '>');
  return cutOut(text, searchFor(text, '<'), (opening) => {
    const named = text[opening.end] === '/' ? opening.end + 1 : opening.end;
    return isTagStart(text[named]) ? tagEnd(named + 1)?.end : undefined;
  });
}

/** The text without what begins where `begin` says, up to where `endOf` says; undefined: that one stays. */
function cutOut(text: string, begin: Search, endOf: (opening: Span) => number | undefined): string {
  const kept: string[] = [];
  let from = 0;
  for (let opening = begin(0); opening !== undefined;) {
    const end = endOf(opening);
    if (end !== undefined) {
      kept.push(text.slice(from, opening.start));
      from = end;
    }
    opening = begin(end ?? opening.end);
  }
  kept.push(text.slice(from));
  return kept.join('');
}

/** Of the same length as the text, which `toLowerCase` does not promise. */
function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function isTagStart(sign: string | undefined): boolean {
  return sign !== undefined && /[a-z!?]/i.test(sign);
}

function isPartOfName(sign: string | undefined): boolean {
  return sign !== undefined && /\w/.test(sign);
}

function isBlank(sign: string | undefined): boolean {
  return sign !== undefined && /\s/.test(sign);
}
