/** Reading bodies: JSON in valid UTF-8, plain or gzip, never more than allowed on either side of the decompression. */
import { createGunzip } from 'node:zlib';
import { Transform, type Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { SyncError } from '../model/errors.ts';
import { makeJsonValueCounter } from '../runtime/json-values.ts';
import type { BodyBudget, BodyShare } from './body-budget.ts';
import { provenBody } from './proven-body.ts';
import type { App } from './request.ts';

/** More than this is worth a look at the memory before it is taken apart. */
export const LARGE_TEXT = 256 * 1024;

/** What is allowed. */
export interface BodyOptions {
  /** Of one body; may be another at each request (Fastify's own limit may not). */
  readonly maxBytes: () => number;
  readonly budget: BodyBudget;
  /** Called before a large body is taken apart. */
  readonly makeRoom: (() => void) | undefined;
}

/**
 * Replaces Fastify's parsers (which put U+FFFD in place of broken UTF-8) by one for JSON, unpacks gzip, and counts bytes
 * before and after the unpacking. The routes of the scope have to know their caller before.
 */
export function readBodies(app: App, { maxBytes, budget, makeRoom }: BodyOptions): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: Readable) => {
    const text = await readText(payload);
    if (text.length > LARGE_TEXT) makeRoom?.();
    return await new Promise((resolve, reject) => {
      void parseJson(request, text, (error, value) => {
        if (error === null) resolve(value);
        else reject(new SyncError('BODY_UNREADABLE', whatIsWrong(text, error)));
      });
    });
  });
  app.addHook('preParsing', async (request, reply, payload) => {
    // Nobody reads the body of a GET, whatever it says to be.
    if (request.method === 'GET' || request.method === 'HEAD') return payload;
    const caller = `${request.caller?.kind ?? ''} ${request.caller?.name ?? ''}`;
    const most = maxBytes();
    const whole = await provenBody(request, payload, most, budget.open(`${caller}, as sent`));
    const share = budget.open(caller);
    holdUntilAnswered(request, reply.raw, share);
    return measured(request, whole, most, share);
  });
}

/** The text of a body, decoded piece by piece: it never stands beside its bytes as a whole. */
async function readText(payload: Readable): Promise<string> {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  const decode = (piece?: Buffer): string => {
    try {
      return piece === undefined ? utf8.decode() : utf8.decode(piece, { stream: true });
    } catch (cause) {
      throw new SyncError('BODY_UNREADABLE', 'The body is not valid UTF-8.', { cause });
    }
  };
  let text = '';
  for await (const piece of payload as AsyncIterable<Buffer>) text += decode(piece);
  return text + decode();
}

/** What the body takes is given back when the request is answered, or when it breaks off while the body is read. */
export function holdUntilAnswered(request: FastifyRequest, answer: NodeJS.EventEmitter, share: BodyShare): void {
  request.bodyShare = share;
  // Whoever breaks off later is still being worked for, with the body.
  answer.once('close', () => {
    if (!request.raw.complete) share.release();
  });
}

/** Stops an unpacking that nobody reads any more: a small body could otherwise go on to inflate to gigabytes. */
export function stopReading(request: FastifyRequest): void {
  if (request.inflating !== null) {
    request.raw.unpipe(request.inflating);
    request.inflating.destroy();
    request.inflating = null;
  }
  // What still comes is read and thrown away, until the request timeout ends it: closing here could lose our answer.
  request.raw.resume();
}

/** The body, unpacked, as a stream that fails once it is larger than allowed; Fastify reads it to the end. */
function measured(request: FastifyRequest, payload: Readable, most: number, share: BodyShare): Readable {
  const { 'content-encoding': encoding = 'identity', 'content-length': length } = request.headers;
  if (Number(length) > most) throw new SyncError('BODY_TOO_LARGE');
  switch (encoding.trim().toLowerCase()) {
    case 'identity':
      return piped(payload, makeMeter(most, share));
    case 'gzip':
    case 'x-gzip':
      return unpacked(request, payload, most, share);
    default:
      throw new SyncError('MEDIA_TYPE', 'This content encoding is not supported: send the body plain or as gzip.');
  }
}

function unpacked(request: FastifyRequest, payload: Readable, most: number, share: BodyShare): Readable {
  const gunzip = createGunzip();
  let packed = 0;
  payload.on('data', (chunk: Buffer) => {
    packed += chunk.length;
    // Gzip of nothing may go on for ever.
    if (packed > most) gunzip.destroy(new SyncError('BODY_TOO_LARGE'));
  });
  const meter = makeMeter(most, share);
  // Fastify compares this count with content-length.
  Object.defineProperty(meter, 'receivedEncodedLength', { get: () => packed });
  request.inflating = gunzip;
  return piped(piped(payload, gunzip), meter);
}

/** Lets bytes of JSON through up to `most`, and what the share has left. */
function makeMeter(most: number, share: BodyShare): Transform {
  let bytes = 0;
  const counter = makeJsonValueCounter();
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > most) {
        done(new SyncError('BODY_TOO_LARGE'));
        return;
      }
      try {
        share.take(chunk.length);
        share.takeValues(counter.add(chunk));
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

/** Errors go along; an error after the reader has gone does not end the process. */
function piped<To extends Transform>(from: Readable, to: To): To {
  to.on('error', () => undefined);
  from.on('error', (error) => to.destroy(error));
  return from.pipe(to);
}

/** The parser's own words quote the body, which may hold anything: only the place is passed on. */
function whatIsWrong(text: string, error: Error): string {
  if (text.trim() === '') return 'The body is empty; JSON was expected.';
  const place = /position \d+/.exec(error.message)?.[0];
  if (place !== undefined) return `The body is not valid JSON (at ${place}).`;
  return 'The body is not valid JSON, ends too early, or holds a forbidden name such as "__proto__".';
}
