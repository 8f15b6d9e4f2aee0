/** The native protocol, calling side: which answers are the peer's, and which are of something in front of it. Pure. */
import type { TSchema, Static } from 'typebox';
import type { Validator } from 'typebox/compile';
import { SyncError, type ErrorCode } from '../model/errors.ts';
import { foreignAnswer, retryAfterSeconds, type HttpAnswer } from '../runtime/foreign-answer.ts';

/** An answer that is no success, in the words of a daemon: every version answers so. */
interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Those codes of a peer that are known by another name here. All others are the peer's business. */
const KNOWN_AS: ReadonlyMap<string, ErrorCode> = new Map([
  ['API_KEY_MISSING', 'KEY_STRIPPED'],
  ['API_KEY_INVALID', 'PEER_REFUSED_KEY'],
  ['SIGNATURE_INVALID', 'PEER_REFUSED_SIGNATURE'],
  ['FORBIDDEN', 'PEER_REFUSED_KEY'],
  ['NOT_FOUND', 'PEER_BAD_ANSWER'],
  ['NOT_ACCEPTED', 'NOT_ACCEPTED'],
  ['BODY_TOO_LARGE', 'BODY_TOO_LARGE'],
  ['REQUEST_INVALID', 'REQUEST_INVALID'],
  ['QUOTA', 'QUOTA'],
]);
const OTHER_PATH =
  'An account-sync answers, but not at this path: give the url the path under which its proxy passes calls on, and see http.base_path there.';

/** The error that a refusal stands for: with the peer's own words if they are its words, else see {@link foreignAnswer}. */
export function refusal(answer: HttpAnswer, url: URL): SyncError {
  const { status, headers } = answer;
  const said = refusalOf(answer.text);
  if (said === undefined || status < 400) return foreignAnswer(answer, url);
  const code = KNOWN_AS.get(said.code) ?? 'PEER_FAILED';
  return new SyncError(code, `HTTP ${status}: ${said.message.slice(0, 300)}`, {
    httpStatus: status,
    retryAfterS: retryAfterSeconds(headers['retry-after']),
    remedy: said.code === 'NOT_FOUND' ? OTHER_PATH : undefined,
  });
}

/** The answer, if it is of the form. Throws `PEER_BAD_ANSWER`, or what {@link foreignAnswer} says. */
export function readOurs<Schema extends TSchema>(
  answer: HttpAnswer,
  url: URL,
  form: Validator<Record<never, never>, Schema>,
): Static<Schema> {
  const value = parseJson(answer.text);
  if (form.Check(value)) return value;
  if (!isOfDaemon(value)) throw foreignAnswer(answer, url);
  const [problem] = form.Errors(value);
  const where =
    problem === undefined ? 'it is incomplete' : `${problem.instancePath || 'the answer'} ${problem.message}`;
  const message = `HTTP 200, but the answer is not one of our protocol: ${where}.`;
  throw new SyncError('PEER_BAD_ANSWER', message, { httpStatus: answer.status });
}

/** Every success says so; that it is one of another version is worth more words than that it is none. */
function isOfDaemon(value: unknown): boolean {
  return (value as { status?: unknown } | null | undefined)?.status === 'OK';
}

function refusalOf(text: string): Refusal | undefined {
  const value = parseJson(text) as { status?: unknown; code?: unknown; message?: unknown } | null | undefined;
  const { status, code, message } = value ?? {};
  if (status !== 'ERR' || typeof code !== 'string' || typeof message !== 'string') return undefined;
  return /^[A-Z][A-Z_]+$/.test(code) ? { code, message } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
