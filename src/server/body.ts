/** Reading bodies: JSON in valid UTF-8, plain or gzip, never more than allowed on either side of the decompression. */
import { createGunzip } from 'node:zlib';
import { Transform, type Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { SyncError } from '../model/errors.ts';
import type { App } from './request.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * Replaces Fastify's parsers (which put U+FFFD in place of broken UTF-8) by one for JSON, unpacks gzip, and counts bytes
 * before and after the unpacking against `maxBytes`, which may be another at each request (Fastify's own limit may not).
 */
export function readBodies(app: App, maxBytes: () => number): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = UTF8.decode(body as Buffer);
    } catch {
      done(new SyncError('BODY_UNREADABLE', 'The body is not valid UTF-8.'));
      return;
    }
    void parseJson(request, text, (error, value) => {
      if (error === null) done(null, value);
      else done(new SyncError('BODY_UNREADABLE', whatIsWrong(text, error)));
    });
  });
  app.decorateRequest('inflating', null);
  app.addHook('preParsing', async (request, _reply, payload) => measured(request, payload, maxBytes()));
}

/** Stops an unpacking that nobody reads any more: a small body could otherwise go on to inflate to gigabytes. */
export function stopUnpacking(request: FastifyRequest): void {
  if (request.inflating === null) return;
  request.raw.unpipe(request.inflating);
  request.inflating.destroy();
  request.inflating = null;
  // What still comes is read and thrown away, until the request timeout ends it: closing here could lose our answer.
  request.raw.resume();
}

/** The body, unpacked, as a stream that fails once it is larger than allowed; Fastify reads it to the end. */
function measured(request: FastifyRequest, payload: Readable, most: number): Readable {
  // Nobody reads the body of a GET, whatever it says to be.
  if (request.method === 'GET' || request.method === 'HEAD') return payload;
  const { 'content-encoding': encoding = 'identity', 'content-length': length } = request.headers;
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  if (Number(length) > most) throw new SyncError('BODY_TOO_LARGE');
  switch (encoding.trim().toLowerCase()) {
    case 'identity':
      // No more comes than was announced.
      return isChunked ? piped(payload, makeByteLimit(most)) : payload;
    case 'gzip':
    case 'x-gzip':
      return unpacked(request, payload, most);
    default:
      throw new SyncError('MEDIA_TYPE', 'This content encoding is not supported: send the body plain or as gzip.');
  }
}

function unpacked(request: FastifyRequest, payload: Readable, most: number): Readable {
  const gunzip = createGunzip();
  let packed = 0;
  payload.on('data', (chunk: Buffer) => {
    packed += chunk.length;
  });
  const meter = makeByteLimit(most, () => packed);
  // Fastify compares this count with content-length.
  Object.defineProperty(meter, 'receivedEncodedLength', { get: () => packed });
  request.inflating = gunzip;
  return piped(piped(payload, gunzip), meter);
}

/** Lets bytes through up to `most`; `packed` tells how many there were before they were unpacked. */
function makeByteLimit(most: number, packed: () => number = () => 0): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > most || packed() > most) done(new SyncError('BODY_TOO_LARGE'));
      else done(null, chunk);
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
