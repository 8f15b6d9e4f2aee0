/**
 * Answers that do not speak the protocol of a peer: of firewalls, passwords, maintenance pages, redirects, other programs.
 * Whatever their status, they say nothing of the peer, and above all nothing of our key. Pure.
 */
import { SyncError, type ErrorCode } from '../model/errors.ts';

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Unpacked. */
  readonly text: string;
}

/** What it is, what it is known as, and what is to be done about it where the registry says less. */
interface Diagnosis {
  readonly code: ErrorCode;
  readonly what: string;
  readonly remedy?: string;
}

/** So much of a text is looked at. */
const MOST_LOOKED_AT = 65_536;
const CAPTCHA = /captcha|are you (?:a )?human|verify(?:ing)? (?:that )?you are|just a moment|checking your browser/i;
/** What the answers of both protocols hold. */
const OURS = /"status"\s*:\s*"(?:OK|ERR)"/;
const LET_THROUGH = 'Exempt the path of the daemon there, for GET and POST: its calls carry a key of their own.';

/**
 * The error for an answer that is not the peer's, with its status first: `HTTP 403: refused in front of the peer (nginx,
 * "403 Forbidden")`. `url` is the address that was called.
 */
export function foreignAnswer(answer: HttpAnswer, url: URL): SyncError {
  const { code, what, remedy } = diagnose(answer, url);
  const { status: httpStatus } = answer;
  const retryAfterS = retryAfterSeconds(answer.headers['retry-after']);
  return new SyncError(code, `HTTP ${httpStatus}: ${what}`, { httpStatus, retryAfterS, remedy });
}

/** The seconds of a Retry-After header; undefined for none, for a date, and for what is neither. */
export function retryAfterSeconds(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

function diagnose(answer: HttpAnswer, url: URL): Diagnosis {
  const { status, headers } = answer;
  const text = answer.text.slice(0, MOST_LOOKED_AT);
  const by = described(headers, text);
  if (isPage(text) && CAPTCHA.test(text)) {
    const what = `something in front of the peer asks whether a human calls (captcha)${by}`;
    return { code: 'PEER_BLOCKED', what, remedy: LET_THROUGH };
  }
  if (status >= 300 && status < 400) return redirect(headers['location'], url);
  if (status >= 200 && status < 300) return success(text, by);
  switch (status) {
    case 401:
    case 407: {
      const scheme = /^[\w-]+/.exec(String(headers['www-authenticate'] ?? headers['proxy-authenticate'] ?? ''))?.[0];
      const what = `something in front of the peer asks for a password${scheme === undefined ? '' : ` (${scheme})`}${by}`;
      return { code: 'PEER_BLOCKED', what, remedy: 'Take the password (htpasswd) off the path of the daemon there.' };
    }
    case 404:
    case 410: {
      const what = `a web server answers, and there is no account-sync at this address${by}`;
      const remedy = 'Check host and path of the url, and that the proxy there passes this path on to the daemon.';
      return { code: 'PEER_BAD_ANSWER', what, remedy };
    }
    case 405:
    case 501:
      return {
        code: 'PEER_BLOCKED',
        what: `something in front of the peer does not take this method${by}`,
        remedy: LET_THROUGH,
      };
    case 413: {
      const what = `the body is too large for what stands in front of the peer${by}`;
      const remedy = 'Raise its limit there, to 16 MiB if it can be (nginx: client_max_body_size 16m).';
      return { code: 'BODY_TOO_LARGE', what, remedy };
    }
    case 429:
      return {
        code: 'PEER_FAILED',
        what: `something in front of the peer limits the number of calls${by}`,
        remedy: LET_THROUGH,
      };
    case 500:
      return { code: 'PEER_FAILED', what: spoken(text) ?? `an error, and not in the words of the peer${by}` };
    default:
  }
  if (status > 500) {
    const what = `what stands in front of the peer does not reach it, or shows a maintenance page${by}`;
    const remedy =
      'See that the daemon there runs, and that its proxy knows its port; maintenance must leave its path open.';
    return { code: 'PEER_UNREACHABLE', what, remedy };
  }
  return { code: 'PEER_BLOCKED', what: `refused in front of the peer${by}`, remedy: LET_THROUGH };
}

function redirect(location: string | string[] | undefined, url: URL): Diagnosis {
  const to = plain(String(location ?? ''), 200);
  const code = 'PEER_BAD_ANSWER';
  const what = `a redirect to ${to === '' ? 'nowhere' : to}, and calls follow none`;
  let target: URL | undefined;
  try {
    target = new URL(to, url);
  } catch {
    return { code, what };
  }
  const isSecured = target.protocol === 'https:' && url.protocol === 'http:' && target.hostname === url.hostname;
  const secure = `Give the url https:// instead of http://.`;
  const other =
    'If the daemon is there, give the url that address; if not, take the redirect away for the path of the daemon.';
  return { code, what, remedy: isSecured ? secure : other };
}

function success(text: string, by: string): Diagnosis {
  const code = 'PEER_BAD_ANSWER';
  if (text.trim() === '') return { code, what: `an empty answer, which is not JSON${by}` };
  if (isJson(text)) return { code, what: `JSON of another program${by}` };
  if (OURS.test(text)) {
    const remedy =
      'Look for what adds to answers or cuts them in front of the peer, and exempt the path of the daemon.';
    return { code, what: `the answer was altered on the way: it is not JSON any more${by}`, remedy };
  }
  return { code, what: `${isPage(text) ? 'a page' : 'a text'}, which is not JSON${by}` };
}

/** What an answer says of who gives it: ` (nginx, "403 Forbidden")`. */
function described(headers: HttpAnswer['headers'], text: string): string {
  const said = titleOf(text) ?? spoken(text);
  const parts = [plain(String(headers['server'] ?? ''), 40), said === undefined ? '' : `"${plain(said, 80)}"`];
  const known = parts.filter((part) => part !== '' && part !== '""');
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
}

/** The text of the first `<title …>` that is followed by a tag. */
function titleOf(text: string): string | undefined {
  const start = text.search(/<title/i);
  const from = start === -1 ? -1 : text.indexOf('>', start) + 1;
  const end = from <= 0 ? -1 : text.indexOf('<', from);
  return end === -1 ? undefined : text.slice(from, end);
}

/** The message of an answer in JSON, whoever's it is. */
function spoken(text: string): string | undefined {
  if (!isJson(text)) return undefined;
  const { message } = (JSON.parse(text) ?? {}) as { message?: unknown };
  return typeof message === 'string' && message !== '' ? plain(message, 300) : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isPage(text: string): boolean {
  return /<(?:!doctype|html|head|body|title|script)\b/i.test(text);
}

/** On one line, without control characters. */
function plain(text: string, most: number): string {
  return text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, most);
}
