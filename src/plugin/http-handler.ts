/**
 * The PHP plugin's protocol, answering side: who calls, what is wanted, and whether it may be. What is done about it comes in
 * as functions. Nothing is decoded for a caller who has no key.
 */
import { SyncError } from '../model/errors.ts';
import type { LogEntry } from '../model/log-entry.ts';
import type { PeerRoute } from '../model/route.ts';
import { canonicalEmail } from '../model/uid.ts';
import { rawField, readForm, type FormMap, type FormValue } from './form.ts';
import { readRow, type PluginRow } from './row.ts';
import { cleanText } from '../model/plugin-text.ts';
import { echoOf, WORDS, type PluginBody } from './wire.ts';

/** A request, undecoded. */
export interface PluginRequest {
  /** Without the question mark. */
  readonly query: string;
  readonly body: Uint8Array;
  readonly trace: string;
  readonly ip: string;
}

/** Who calls. */
export interface Caller {
  readonly route: PeerRoute;
  readonly trace: string;
  readonly ip: string;
  readonly keyDigest: string;
}

/** What is answered. With `refusedKey` the server counts the call, and writes its log record. */
export interface PluginResponse {
  readonly httpStatus: number;
  readonly body: PluginBody;
  readonly refusedKey?: { readonly type: 'FEED' | 'STREAM'; readonly keyDigest: string | null };
}

/** An account of this site, as answers name it. */
export interface Named {
  readonly id: number;
  readonly email: string;
  readonly name: string;
}

/** What is done for a caller. */
export interface ServeDeps {
  readonly identifyKey: (
    key: string,
  ) =>
    | { readonly kind: 'peer'; readonly name: string; readonly keyDigest: string }
    | { readonly kind: 'admin' | 'invalid'; readonly keyDigest: string }
    | { readonly kind: 'missing' };
  /** The peer of that name, if it speaks this protocol. */
  readonly pluginPeer: (name: string) => PeerRoute | undefined;
  readonly receiveRow: (row: PluginRow, caller: Caller) => Promise<string>;
  /** Undefined: nobody was removed. */
  readonly receiveRemoval: (email: string, caller: Caller) => Promise<Named | undefined>;
  readonly serveFeed: (after: number, caller: Caller) => Promise<{ message: string; rows: readonly unknown[] }>;
  readonly appendLog: (entries: readonly LogEntry[]) => Promise<void>;
}

/** Answers a call. Throws `NOT_FOUND` for what is no call of this protocol, and database errors. */
export async function servePluginCall(deps: ServeDeps, request: PluginRequest): Promise<PluginResponse> {
  const given = (name: string): string | undefined => rawField(request.body, name) ?? rawField(request.query, name);
  if (given('ascSync') !== '1') throw new SyncError('NOT_FOUND');
  const type = given('ascAction') === 'userFeedRequest' ? 'STREAM' : 'FEED';
  const key = given('ascApiKey') ?? '';
  if (key.trim() === '') {
    const body = err('API Key is missing');
    return { httpStatus: 401, body, refusedKey: { type, keyDigest: null } };
  }
  const who = deps.identifyKey(key);
  if (who.kind === 'missing' || who.kind === 'invalid') {
    const body = err('API Key is invalid - no account found');
    return { httpStatus: 403, body, refusedKey: { type, keyDigest: who.kind === 'invalid' ? who.keyDigest : null } };
  }
  const route = who.kind === 'peer' ? deps.pluginPeer(who.name) : undefined;
  const { trace, ip } = request;
  const log = async (response: PluginResponse, words: string, content: Record<string, unknown>): Promise<void> => {
    const peer = who.kind === 'peer' ? who.name : null;
    const status = String(response.httpStatus);
    const entry = {
      type,
      peer,
      key: who.keyDigest,
      ip,
      status,
      response: words.slice(0, 1000),
      content,
      trace,
    } as const;
    await deps.appendLog([entry]);
  };
  if (route === undefined) {
    const response = { httpStatus: 403, body: err('The key is not for this protocol.') };
    await log(response, response.body.message, { code: 'FORBIDDEN' });
    return response;
  }
  const { response, words, content } = await answer(deps, request, { route, trace, ip, keyDigest: who.keyDigest });
  await log(response, words ?? response.body.message, content);
  return response;
}

interface Answer {
  readonly response: PluginResponse;
  /** For the log, where the answer names people. */
  readonly words?: string;
  readonly content: Record<string, unknown>;
}

async function answer(deps: ServeDeps, request: PluginRequest, caller: Caller): Promise<Answer> {
  const query = readForm(request.query);
  const body = readForm(request.body);
  for (const form of [query, body]) if (form.kind === 'refused') return wrong(`The form cannot be read: ${form.why}.`);
  const fields: FormMap = { ...(query as { fields: FormMap }).fields, ...(body as { fields: FormMap }).fields };
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
