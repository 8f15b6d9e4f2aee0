/** What the server knows of each request before it looks at it: trace, address, and later the caller. */
import { isIP } from 'node:net';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Transform } from 'node:stream';
import { TRACE_PATTERN } from '../runtime/trace.ts';
import type { BodyShare } from './body-budget.ts';
import type { Actor, Call } from './deps.ts';

/** A Fastify whose handlers get the types of their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where a route asks for a key: who has it, and its digest. */
    caller: { readonly kind: 'peer' | 'admin'; readonly name: string; readonly keyDigest: string } | null;
    /** Set where a signed request has to have the body that was signed: throws if it has not. */
    provesBody: ((body: Uint8Array) => Promise<void>) | null;
    /** Set while a compressed body is being read. */
    inflating: Transform | null;
    /** What the body takes of the bytes that may be held. */
    bodyShare: BodyShare | null;
  }
}

/**
 * Takes over the trace id of a caller who showed who it is, if it is a sane one. Nobody else's: records of theirs would stand
 * among those of an exchange that is not theirs.
 */
export function believeTrace(request: FastifyRequest, reply: FastifyReply): void {
  const given = request.headers['x-trace-id'];
  if (typeof given !== 'string' || !TRACE_PATTERN.test(given)) return;
  request.id = given;
  reply.header('x-trace-id', given);
}

/** The path, without what comes after a question mark. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

/**
 * Address of the caller as `192.0.2.1` or `2001:db8::1`. What a proxy wrote counts only if it is an address: the rest
 * falls back to the address of the socket.
 */
export function addressOf(request: FastifyRequest): string {
  return plainAddress(request.ip) ?? plainAddress(request.socket.remoteAddress) ?? 'unknown';
}

function plainAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const mapped = /^::ffff:\d{1,3}\./i.test(text) ? text.slice('::ffff:'.length) : text;
  const plain = mapped.split('%', 1)[0] ?? '';
  return isIP(plain) === 0 ? undefined : plain.toLowerCase();
}

/** The calling peer, and what its log records need. Only for routes that peers call. */
export function peerCall(request: FastifyRequest): { readonly peer: string; readonly call: Call } {
  const { caller } = request;
  if (caller?.kind !== 'peer') throw new TypeError('this route has no peer key check');
  return { peer: caller.name, call: { trace: request.id, ip: addressOf(request), keyDigest: caller.keyDigest } };
}

/** The calling administrator. Only for admin routes. */
export function actorOf(request: FastifyRequest): Actor {
  const { caller } = request;
  if (caller?.kind !== 'admin') throw new TypeError('this route has no admin key check');
  return { name: caller.name, keyDigest: caller.keyDigest, ip: addressOf(request), trace: request.id };
}
