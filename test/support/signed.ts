/** Requests of a peer, signed by node:crypto alone: a second implementation of RFC 9421 and 9530, for this protocol. */
import { createHash, randomUUID, sign } from 'node:crypto';
import { privateKeyObject, type SigningKey } from '../../src/model/signing-key.ts';

/** A request, and what of it may be other than it should be. */
export interface ToSign {
  readonly method?: string;
  /** As the receiver's proxy gets it, with the query. */
  readonly target: string;
  readonly body?: string | Buffer;
  readonly from: string;
  readonly to: string;
  readonly key: SigningKey;
  readonly headers?: Readonly<Record<string, string>>;
  /** Covered components; the protocol's unless given. */
  readonly covered?: readonly string[];
  /** Parameters in place of the usual ones; undefined leaves one out. */
  readonly parameters?: Readonly<Record<string, string | number | undefined>>;
  readonly nowMs?: number;
  readonly label?: string;
}

/** A request with its signature, to be sent as it is or changed. */
export interface SignedCall {
  readonly method: string;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer | undefined;
}

/** `sha-256=:…:` */
export function digestOf(body: string | Buffer = ''): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

/** RFC 9421, 2.5: the text that is signed. `"…"` of a component without parameters. */
export function signatureBase(
  { method, target, headers }: Pick<SignedCall, 'method' | 'target' | 'headers'>,
  covered: readonly string[],
  parameters: string,
): string {
  const [path = '', ...query] = target.split('?');
  const derived: Readonly<Record<string, string>> = {
    '@method': method,
    '@path': path,
    '@query': `?${query.join('?')}`,
  };
  const lines = covered.map((name) => `"${name}": ${derived[name] ?? headers[name] ?? ''}`);
  return [...lines, `"@signature-params": ${parameters}`].join('\n');
}

/** Signs it. */
export function signCall(wanted: ToSign): SignedCall {
  const { target, body, from, to, key, label = 'sig', nowMs = Date.now() } = wanted;
  const method = wanted.method ?? (body === undefined ? 'GET' : 'POST');
  const headers: Record<string, string> = {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...wanted.headers,
    'content-digest': wanted.headers?.['content-digest'] ?? digestOf(body),
    'account-sync-to': to,
  };
  const said = ['content-type', 'content-encoding', 'x-call-back', 'x-called-back', 'x-installation'];
  const covered = wanted.covered ?? [
    '@method',
    '@path',
    '@query',
    'content-digest',
    ...said.filter((name) => headers[name] !== undefined),
    'account-sync-to',
  ];
  const created = Math.floor(nowMs / 1000);
  const all: Record<string, string | number | undefined> = {
    created,
    expires: created + 60,
    keyid: from,
    nonce: randomUUID(),
    alg: 'ed25519',
    tag: 'osclass-account-sync',
    ...wanted.parameters,
  };
  const list = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`;${name}=${typeof value === 'string' ? `"${value}"` : value}`],
  );
  const parameters = `(${covered.map((name) => `"${name}"`).join(' ')})${list.join('')}`;
  const base = signatureBase({ method, target, headers }, covered, parameters);
  const signature = sign(null, Buffer.from(base), privateKeyObject(key)).toString('base64');
  headers['signature-input'] = `${label}=${parameters}`;
  headers['signature'] = `${label}=:${signature}:`;
  return { method, target, headers, body };
}

/** Sends it to a daemon, and reads the answer. */
export async function sendCall(
  url: string,
  { method, target, headers, body }: SignedCall,
): Promise<{ status: number; body: Record<string, unknown> & { code?: string; message?: string } }> {
  const answer = await fetch(new URL(target.slice(1), url), {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
