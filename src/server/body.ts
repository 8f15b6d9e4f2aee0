/** Reading bodies: JSON in valid UTF-8, plain or gzip, never more than allowed on either side of the decompression. */
import { createGunzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { SyncError } from '../model/errors.ts';
import type { App } from './request.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * Replaces Fastify's parsers (which put U+FFFD in place of broken UTF-8) by one for JSON, and unpacks gzip. Fastify
 * counts bytes before and after the unpacking against its body limit.
 */
export function readBodies(app: App): void {
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
  app.addHook('preParsing', unpack);
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

async function unpack(request: FastifyRequest, _reply: FastifyReply, payload: Readable): Promise<Readable> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  // Nobody reads the body of a GET, whatever it says to be.
  const isRead = request.method !== 'GET' && request.method !== 'HEAD';
  if (!isRead || encoding === undefined || encoding === 'identity') return payload;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new SyncError('MEDIA_TYPE', 'This content encoding is not supported: send the body plain or as gzip.');
  }
  // Fastify compares this count with content-length and with the limit.
  const gunzip = Object.assign(createGunzip(), { receivedEncodedLength: 0 });
  // Stays for good: an error after the reader has gone must not end the process.
  gunzip.on('error', () => undefined);
  payload.on('data', (chunk: Buffer) => {
    gunzip.receivedEncodedLength += chunk.length;
  });
  payload.on('error', (error) => gunzip.destroy(error));
  request.inflating = gunzip;
  return payload.pipe(gunzip);
}

/** The parser's own words quote the body, which may hold anything: only the place is passed on. */
function whatIsWrong(text: string, error: Error): string {
  if (text.trim() === '') return 'The body is empty; JSON was expected.';
  const place = /position \d+/.exec(error.message)?.[0];
  if (place !== undefined) return `The body is not valid JSON (at ${place}).`;
  return 'The body is not valid JSON, ends too early, or holds a forbidden name such as "__proto__".';
}
