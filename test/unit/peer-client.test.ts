import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/model/errors.ts';
import { makePeerClient, type PeerClient } from '../../src/peer/client.ts';
import { answerOf, makeScriptedPeer, type Script, type ScriptedPeer } from '../support/scripted-peer.ts';

const MIB = 1 << 20;
const JSON_TYPE = 'Content-Type: application/json';

const zipped = (body: Buffer): Buffer =>
  Buffer.concat([answerOf('200 OK', '', [JSON_TYPE, 'Content-Encoding: gzip']), body]);

const ANSWERS: readonly (readonly [what: string, answer: Script, code: string, says: RegExp])[] = [
  ['no JSON', answerOf('200 OK', '<html>'), 'PEER_BAD_ANSWER', /not JSON/],
  ['other JSON', answerOf('200 OK', '{"site": 7}'), 'PEER_BAD_ANSWER', /not one of our protocol/],
  ['a body that expands without end', zipped(gzipSync(Buffer.alloc(257 * MIB))), 'PEER_BAD_ANSWER', /too large/],
  ['a body that is no gzip', zipped(Buffer.from('plain')), 'PEER_BAD_ANSWER', /no valid gzip/],
  ['a redirect', answerOf('302 Found', '', ['Location: http://127.0.0.1:1/']), 'PEER_BAD_ANSWER', /HTTP 302/],
  ['a key it does not know', answerOf('401 Unauthorized', ''), 'PEER_REFUSED_KEY', /HTTP 401/],
  ['words of its own', answerOf('500 Oops', '{"message": "disk is full"}'), 'PEER_FAILED', /HTTP 500: disk is full/],
  [
    'half an answer',
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{'),
    'PEER_UNREACHABLE',
    /UND_ERR_SOCKET/,
  ],
  ['nothing, and goes', 'break', 'PEER_UNREACHABLE', /UND_ERR_SOCKET/],
];

describe('a peer that answers', () => {
  let peer: ScriptedPeer;
  let client: PeerClient;
  const ask = async (answer: Script): Promise<unknown> => {
    peer = await makeScriptedPeer(answer);
    client = makePeerClient({ url: peer.url, apiKey: 'k'.repeat(32), site: 'cars' });
    return await client.hello({ trace: 't' }).catch((error: unknown) => error);
  };
  afterEach(async () => {
    await client.close();
    await peer.close();
  });

  it.for(ANSWERS)('%s is met with an error that says so', async ([, answer, code, says]) => {
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
    expect(error).toMatchObject({ code: 'PEER_FAILED', retryAfterS });
  });
});
