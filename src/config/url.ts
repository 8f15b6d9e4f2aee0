/** Addresses of sites and peers. */

/** What such a URL starts with; a JSON schema pattern as well. */
export const URL_PATTERN = '^[Hh][Tt][Tt][Pp][Ss]?://[^\\s]+$';

const SHAPE = new RegExp(URL_PATTERN);

/** True for an absolute http or https URL. */
export function isHttpUrl(text: string): boolean {
  return SHAPE.test(text) && URL.canParse(text);
}

/** True if nothing but scheme, host, port and path is in it: routes are added at its end, and a URL holds no secret. */
export function isPlainUrl(text: string): boolean {
  const url = new URL(text);
  return url.username === '' && url.password === '' && !/[?#]/.test(text);
}

/** True for https, and for http to this very machine, where nobody can listen. */
export function isSafeUrl(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** The URL in its usual form, with a path that ends in `/`. */
export function normalizeUrl(text: string): string {
  const url = new URL(text);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}
