import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/model/errors.ts';
import { keyCredentials } from '../support/key-credentials.ts';
import { makePeerClient, type PeerClient } from '../../src/peer/client.ts';
import { answerOf, makeScriptedPeer, type Script, type ScriptedPeer } from '../support/scripted-peer.ts';

const MIB = 1 << 20;
const JSON_TYPE = 'Content-Type: application/json';

const zipped = (body: Buffer): Buffer =>
  Buffer.concat([answerOf('200 OK', '', [JSON_TYPE, 'Content-Encoding: gzip']), body]);

/** As daemons of every version refuse. */
const ofDaemon = (status: string, code: string): Buffer =>
  answerOf(status, JSON.stringify({ status: 'ERR', code, message: 'its words' }), [JSON_TYPE]);

const ANSWERS: readonly (readonly [what: string, answer: Script, code: string, says: RegExp])[] = [
  ['no JSON', answerOf('200 OK', '<html>'), 'PEER_BAD_ANSWER', /not JSON/],
  ['other JSON', answerOf('200 OK', '{"site": 7}'), 'PEER_BAD_ANSWER', /JSON of another program/],
  ['half of what it should say', answerOf('200 OK', '{"status": "OK"}'), 'PEER_BAD_ANSWER', /not one of our protocol/],
  ['a body that expands without end', zipped(gzipSync(Buffer.alloc(257 * MIB))), 'PEER_BAD_ANSWER', /too large/],
  ['a body that is no gzip', zipped(Buffer.from('plain')), 'PEER_BAD_ANSWER', /no valid gzip/],
  ['a redirect', answerOf('302 Found', '', ['Location: http://127.0.0.1:1/']), 'PEER_BAD_ANSWER', /HTTP 302/],
  ['a key it does not know', ofDaemon('403 No', 'API_KEY_INVALID'), 'PEER_REFUSED_KEY', /HTTP 403: its words/],
  ['a key that was taken away', ofDaemon('401 No', 'API_KEY_MISSING'), 'KEY_STRIPPED', /HTTP 401/],
  ['a path it does not have', ofDaemon('404 No', 'NOT_FOUND'), 'PEER_BAD_ANSWER', /HTTP 404: its words/],
  ['trouble of its own', ofDaemon('503 No', 'DB_UNAVAILABLE'), 'PEER_FAILED', /HTTP 503: its words/],
  ['a code that is not known here', ofDaemon('418 No', 'TEAPOT_EMPTY'), 'PEER_FAILED', /HTTP 418: its words/],
  ['words of its own', answerOf('500 Oops', '{"message": "disk is full"}'), 'PEER_FAILED', /HTTP 500: disk is full/],
  [
    'half an answer',
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{'),
    'PEER_UNREACHABLE',
    /UND_ERR_SOCKET/,
  ],
  ['nothing, and goes', 'break', 'PEER_UNREACHABLE', /UND_ERR_SOCKET/],
];

/** What stands in front of a peer: none of it says anything of our key. */
const FOREIGN: typeof ANSWERS = [
  [
    '401',
    answerOf('401 Unauthorized', '', ['WWW-Authenticate: Basic realm="x"']),
    'PEER_BLOCKED',
    /password \(Basic\)/,
  ],
  ['403', answerOf('403 Forbidden', '<title>403 Forbidden</title>', ['Server: nginx']), 'PEER_BLOCKED', /nginx, "403/],
  ['403 in JSON', answerOf('403 Forbidden', '{"message":"no account found"}'), 'PEER_BLOCKED', /"no account found"/],
  ['404', answerOf('404 Not Found', '<html><title>Osclass</title>'), 'PEER_BAD_ANSWER', /no account-sync.*"Osclass"/],
  ['405', answerOf('405 Not Allowed', ''), 'PEER_BLOCKED', /this method/],
  ['406', answerOf('406 Not Acceptable', '<html>'), 'PEER_BLOCKED', /refused in front of/],
  ['413', answerOf('413 Too Large', '<html>'), 'BODY_TOO_LARGE', /what stands in front/],
  ['429', answerOf('429 Slow Down', '<html>', ['Retry-After: 7']), 'PEER_FAILED', /limits the number/],
  ['502', answerOf('502 Bad Gateway', '<html>'), 'PEER_UNREACHABLE', /does not reach it/],
  ['503', answerOf('503 Busy', '<title>Maintenance</title>'), 'PEER_UNREACHABLE', /maintenance page \("Maintenance"\)/],
  ['503, a challenge', answerOf('503 Busy', '<title>Just a moment...</title>'), 'PEER_BLOCKED', /captcha/],
  ['200, a captcha', answerOf('200 OK', '<html>Please solve the CAPTCHA'), 'PEER_BLOCKED', /captcha/],
  [
    '200, a large captcha behind a byte order mark',
    answerOf('200 OK', `\ufeff<html>Please solve the CAPTCHA${' '.repeat(100_000)}`),
    'PEER_BLOCKED',
    /captcha/,
  ],
  ['200, nothing', answerOf('200 OK', ''), 'PEER_BAD_ANSWER', /empty answer/],
  ['200, altered', answerOf('200 OK', '{"status": "OK", "si<script>'), 'PEER_BAD_ANSWER', /altered on the way/],
  ['signs of control', answerOf('403 No', '<title>a\u001b[31m\nb</title>'), 'PEER_BLOCKED', /"a \[31m b"\)$/],
];

const credentials = keyCredentials('k'.repeat(32));

describe('a peer that answers', () => {
  let peer: ScriptedPeer;
  let client: PeerClient;
  const ask = async (answer: Script): Promise<unknown> => {
    peer = await makeScriptedPeer(answer);
    client = makePeerClient({ url: peer.url, credentials, site: 'cars' });
    return await client.hello({ trace: 't' }).catch((error: unknown) => error);
  };
  afterEach(async () => {
    await client.close();
    await peer.close();
  });

  it.for([...ANSWERS, ...FOREIGN])('%s is met with an error that says so', async ([, answer, code, says]) => {
    const error = await ask(answer);
    expect(error).toBeInstanceOf(SyncError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) as string });
  });

  it.for([
    ['7', 7],
    ['-1', undefined],
    ['Sat, 21 Nov 2026 10:00:00 GMT', undefined],
  ] as const)('Retry-After %s: %s seconds', async ([header, retryAfterS]) => {
    const error = await ask(answerOf('503 Busy', '', [`Retry-After: ${header}`]));
    expect(error).toMatchObject({ code: 'PEER_UNREACHABLE', httpStatus: 503, retryAfterS });
  });
});
