/** What PHP and Osclass make of a request, written down apart from the code under test: nested forms, cleaned text, numbers. */
import { decodeHTMLStrict } from 'entities';

/** A decoded form. */
export interface Fields {
  [name: string]: string | Fields;
}

/** Decodes `a[b][0]=c` as PHP does: the last of two wins, and text in the way of a map gives way. */
export const parsePhpForm = (form: string): Fields => {
  const fields: Fields = {};
  for (const [name, value] of new URLSearchParams(form)) {
    const path = [name.split('[', 1)[0] ?? '', ...[...name.matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? '')];
    let at = fields;
    for (const step of path.slice(0, -1)) {
      const next = at[step];
      at = typeof next === 'object' ? next : (at[step] = {});
    }
    at[path.at(-1) ?? ''] = value;
  }
  return fields;
};

/** As `http_build_query` encodes; NULL is left out. */
export const buildPhpForm = (fields: Record<string, unknown>, within = ''): string =>
  Object.entries(fields)
    .flatMap(([name, value]) => {
      const path = within === '' ? name : `${within}[${name}]`;
      if (value === null || value === undefined) return [];
      if (typeof value === 'object') return buildPhpForm(value as Record<string, unknown>, path) || [];
      return `${urlencode(path)}=${urlencode(`${value as string | number}`)}`;
    })
    .join('&');

const urlencode = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** As Osclass cleans every parameter: no tags, entities decoded, `& < >` encoded, LF, no control characters. */
export const purify = (text: string): string =>
  decodeHTMLStrict(
    text
      .replaceAll('\r\n', '\n')
      .replaceAll('\r', '\n')
      // oxlint-disable-next-line no-control-regex -- those are what is taken out
      .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
      .replaceAll(/<(script|style)\b.*?<\/\1>/gis, '')
      .replaceAll(/<\/?[a-z][^<>]*>/gi, ''),
  )
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');

/** {@link purify} for every text of a form. */
export const purifyAll = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? purify(value) : purifyAll(value)]),
  );

/**
 * True for text that Osclass puts into its SQL without quotes, so that the database reads a number: all that PHP takes for
 * one, unless it is longer than a digit and begins with 0.
 */
export const isBareNumber = (text: string): boolean =>
  /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text) && !(text.length > 1 && text.startsWith('0'));

/** How the plugin shows a hash. */
export const mask = (hash: string): string => `${hash.slice(0, 10)}**********${hash.slice(20, 30)}...`;
