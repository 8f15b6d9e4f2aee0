/**
 * The PHP plugin's protocol, answering side: what is wanted, and whether it may be. What is done about it comes in as
 * functions. Who calls is known before.
 */
import { SyncError } from '../model/errors.ts';
import type { LogEntry } from '../model/log-entry.ts';
import type { PeerRoute } from '../model/route.ts';
import { canonicalEmail } from '../model/uid.ts';
import { rawField, readForm, type FormValue } from './form.ts';
import { readRow, type PluginRow } from './row.ts';
import { cleanText } from '../model/plugin-text.ts';
import { echoOf, WORDS, type PluginBody } from './wire.ts';

/** Who calls. */
export interface Caller {
  readonly route: PeerRoute;
  readonly trace: string;
  readonly ip: string;
  readonly keyDigest: string;
}

/** What is answered. */
export interface PluginResponse {
  readonly httpStatus: number;
  readonly body: PluginBody;
}

/** An account of this site, as answers name it. */
export interface Named {
  readonly id: number;
  readonly email: string;
  readonly name: string;
}

/** What is done for a caller. */
export interface ServeDeps {
  readonly receiveRow: (row: PluginRow, caller: Caller) => Promise<string>;
  /** Undefined: nobody was removed. */
  readonly receiveRemoval: (email: string, caller: Caller) => Promise<Named | undefined>;
  readonly serveFeed: (after: number, caller: Caller) => Promise<{ message: string; rows: readonly unknown[] }>;
  readonly appendLog: (entries: readonly LogEntry[]) => Promise<void>;
}

/** Answers a call: the form as it was sent. Throws `NOT_FOUND` for what is no call of this protocol, and database errors. */
export async function servePluginCall(deps: ServeDeps, form: Uint8Array, caller: Caller): Promise<PluginResponse> {
  if (rawField(form, 'ascSync') !== '1') throw new SyncError('NOT_FOUND');
  const type = rawField(form, 'ascAction') === 'userFeedRequest' ? 'STREAM' : 'FEED';
  const { response, words, content } = await answer(deps, form, caller);
  const { route, keyDigest, ip, trace } = caller;
  await deps.appendLog([
    {
      type,
      peer: route.name,
      key: keyDigest,
      ip,
      status: String(response.httpStatus),
      response: (words ?? response.body.message).slice(0, 1000),
      content,
      trace,
    },
  ]);
  return response;
}

interface Answer {
  readonly response: PluginResponse;
  /** For the log, where the answer names people. */
  readonly words?: string;
  readonly content: Record<string, unknown>;
}

async function answer(deps: ServeDeps, form: Uint8Array, caller: Caller): Promise<Answer> {
  const reading = readForm(form);
  if (reading.kind === 'refused') return wrong(`The form cannot be read: ${reading.why}.`);
  const { fields } = reading;
  const data = fields['ascData'];
  const action = fields['ascAction'] ?? '';
  switch (action) {
    case 'userStreamPost':
      return caller.route.receive ? await receiveRow(deps, data, caller) : notAccepted('takes nothing from');
    case 'userStreamPostRemoval':
      return caller.route.receive ? await receiveRemoval(deps, data, caller) : notAccepted('takes nothing from');
    case 'userFeedRequest':
      return caller.route.send
        ? await serveFeed(deps, fields['ascLastUserId'], caller)
        : notAccepted('sends nothing to');
    default:
      return { ...wrong('The action is unknown.'), response: { httpStatus: 400, body: err('') } };
  }
}

async function receiveRow(deps: ServeDeps, data: FormValue | undefined, caller: Caller): Promise<Answer> {
  if (typeof data !== 'object') return wrong('ascData is no map.');
  const reading = readRow(data);
  if (reading.kind === 'wrong') return wrong(`ascData cannot be read: ${reading.why}.`);
  const echo = echoOf(data);
  if (reading.kind === 'incomplete') {
    const response = { httpStatus: 400, body: { status: 'ERR', message: WORDS.incomplete, data: echo } } as const;
    return { response, content: { operation: 'stream', code: 'REQUEST_INVALID' } };
  }
  const { row } = reading;
  const result = await deps.receiveRow(row, caller);
  const shown = (column: string): string => cleanText(row.columns.get(column) ?? '');
  const message = WORDS.received(row.id, shown('s_email'), shown('s_name'));
  const response = { httpStatus: 200, body: { status: 'OK', message, data: echo } } as const;
  return { response, words: `Received 1 user: ${result}`, content: { operation: 'stream', records: 1, result } };
}

async function receiveRemoval(deps: ServeDeps, data: FormValue | undefined, caller: Caller): Promise<Answer> {
  if (data !== undefined && typeof data !== 'string') return wrong('ascData is no text.');
  const email = canonicalEmail(data ?? '');
  const removed = email === '' ? undefined : await deps.receiveRemoval(email, caller);
  const echo = [cleanText(data ?? '')];
  const content = { operation: 'removal' };
  if (removed === undefined) {
    return { response: { httpStatus: 200, body: { status: 'ERR', message: WORDS.notFound, data: echo } }, content };
  }
  const message = WORDS.removed(removed.id, cleanText(removed.email), cleanText(removed.name));
  const response = { httpStatus: 200, body: { status: 'OK', message, data: echo } } as const;
  return { response, words: 'Received 1 removal', content };
}

async function serveFeed(deps: ServeDeps, last: FormValue | undefined, caller: Caller): Promise<Answer> {
  // The plugin always sends it; a form without it is somebody trying things out.
  if (typeof last !== 'string' || !/^\d{1,15}$/.test(last)) return wrong('ascLastUserId is no number.');
  const { message, rows } = await deps.serveFeed(Number(last), caller);
  const response = { httpStatus: 200, body: { status: 'OK', message, data: rows } } as const;
  return { response, content: { operation: 'feed', after: Number(last), retrieved: rows.length } };
}

function wrong(message: string): Answer {
  return { response: { httpStatus: 400, body: err(message) }, content: { code: 'REQUEST_INVALID' } };
}

function notAccepted(what: string): Answer {
  const response = { httpStatus: 403, body: err(`This site ${what} this peer.`) };
  return { response, content: { code: 'NOT_ACCEPTED' } };
}

function err(message: string): PluginBody {
  return { status: 'ERR', message, data: [] };
}
