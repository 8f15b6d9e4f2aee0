/**
 * What a signature of a request covers (RFC 9421), for those who sign and those who verify: method, path, query, the bytes of
 * the body by their digest (RFC 9530), what says how to read them, and for which site they are.
 */
import { createHash } from 'node:crypto';
import { CALL_BACK, CALLED_BACK } from './call-back.ts';
import { INSTALLATION } from '../model/feed-owner.ts';

/** Value of the parameter `tag`: a signature that was made for something else is none. */
export const TAG = 'osclass-account-sync';
/** Value of the parameter `alg`. */
export const ALGORITHM = 'ed25519';
/** The label of our signature; any other is taken too. */
export const LABEL = 'account-sync';
/** Name of the site that the request is for: proxies rewrite the host. */
export const RECEIVER = 'account-sync-to';
/** A signature is good for no longer. */
export const LIFETIME_S = 60;
/** A signature of a clock that is ahead is good by so much. */
export const MOST_AHEAD_S = 60;
/** All of them are wanted. */
export const PARAMETERS = ['created', 'expires', 'keyid', 'nonce', 'alg', 'tag'] as const;

/** Headers that say something to the receiver, and so are covered where they are. */
const SAYING = ['content-encoding', CALL_BACK, CALLED_BACK, INSTALLATION];

/** What has to be covered of a request with these headers, their names in lower case. */
export function componentsFor(headers: Readonly<Record<string, unknown>>, hasBody: boolean): string[] {
  const saying = SAYING.filter((name) => headers[name] !== undefined);
  const type = hasBody || headers['content-type'] !== undefined ? ['content-type'] : [];
  return ['@method', '@path', '@query', 'content-digest', ...type, ...saying, RECEIVER];
}

/** `sha-256=:…:`, as RFC 9530 has it. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}
