/** What Node cannot read as HTTP, or what does not arrive in time, is answered on the bare socket. */
import type { Socket } from 'node:net';
import type { ErrorAnswer } from '../model/response-schemas.ts';

const PHRASES = { 400: 'Bad Request', 408: 'Request Timeout', 431: 'Request Header Fields Too Large' } as const;

/** For Fastify's clientErrorHandler: answers in our error form and closes the connection. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, message] = whatHappened(error.code);
  const answer: ErrorAnswer = { status: 'ERR', code: 'REQUEST_INVALID', message };
  const body = JSON.stringify(answer);
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${PHRASES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

function whatHappened(code: string | undefined): readonly [keyof typeof PHRASES, string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'The request did not arrive in time.'];
  if (code === 'HPE_HEADER_OVERFLOW') return [431, 'The headers are too large.'];
  return [400, 'This is not HTTP.'];
}
