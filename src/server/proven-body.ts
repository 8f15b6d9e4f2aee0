/** Bodies of signed requests: read as they came over the wire, and compared with what was signed before anything is unpacked. */
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { SyncError } from '../model/errors.ts';
import type { BodyShare } from './body-budget.ts';

/**
 * The body of a signed request, once all of it is here and is what was signed; that of any other as it is. `share` holds what was
 * read until it was passed on. Throws `BODY_TOO_LARGE`, `OVERLOADED`, and what {@link FastifyRequest.provesBody} throws.
 */
export async function provenBody(
  request: FastifyRequest,
  payload: Readable,
  mostBytes: number,
  share: BodyShare,
): Promise<Readable> {
  const { provesBody } = request;
  if (provesBody === null) return payload;
  if (Number(request.headers['content-length']) > mostBytes) throw new SyncError('BODY_TOO_LARGE');
  try {
    const body = await gather(payload, mostBytes, share);
    await provesBody(body);
    return Readable.from(body.length === 0 ? [] : [body]).once('close', () => share.release());
  } catch (error) {
    share.release();
    throw error;
  }
}

function gather(payload: Readable, mostBytes: number, share: BodyShare): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (error: unknown): void => {
      payload.off('data', take);
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > mostBytes) {
        stop(new SyncError('BODY_TOO_LARGE'));
        return;
      }
      try {
        share.take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        stop(error);
      }
    };
    payload.on('data', take);
    payload.once('end', () => resolve(Buffer.concat(chunks)));
    payload.once('error', stop);
    payload.once('close', () => stop(new SyncError('BODY_UNREADABLE')));
  });
}
