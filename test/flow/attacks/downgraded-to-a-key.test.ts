/**
 * Somebody answers in the place of a peer (a lapsed domain, a proxy that was broken into) and says that it knows no signatures, to be
 * shown the key, which other peers may take for us.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicHalf } from '../../../src/model/signing-key.ts';
import { keyOf, makeWorld, signingKeyOf, type World } from '../../support/world.ts';

let world: World;
let server: Server;
const shown: string[] = [];
/** What stands at the address of homes passes everything on to it, or plays an older version. */
let isLying = false;

beforeAll(async () => {
  server = createServer((request, answer) => {
    const { authorization, signature } = request.headers;
    shown.push(authorization ?? (signature === undefined ? 'nothing' : 'signature'));
    if (isLying) {
      answer.writeHead(401, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ status: 'ERR', code: 'API_KEY_MISSING', message: 'API Key is missing' }));
      return;
    }
    const homes = new URL(request.url ?? '/', world.site('homes').url);
    void passOn(homes, request.headers as Record<string, string>).then(([status, text]) =>
      answer.writeHead(status, { 'content-type': 'application/json' }).end(text),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  world = await makeWorld(['cars', 'homes'], {
    idle: true,
    siteExtra: { cars: `signing_key: ${signingKeyOf('cars')}`, homes: `signing_key: ${signingKeyOf('homes')}` },
    peerExtra: {
      'cars.homes': `    public_key: ${publicHalf(signingKeyOf('homes'))}`,
      'homes.cars': `    public_key: ${publicHalf(signingKeyOf('cars'))}`,
    },
    peerUrl: (from, _to, at) => (from === 'cars' ? `http://127.0.0.1:${port}/` : `http://127.0.0.1:${at}/`),
  });
  await world.site('homes').start({ manual: true });
}, 90_000);
afterAll(async () => {
  await world?.close();
  server.closeAllConnections();
  server.close();
});

async function passOn(url: URL, headers: Record<string, string>): Promise<[number, string]> {
  const real = await fetch(url, { headers });
  return [real.status, await real.text()];
}

const greet = async (): Promise<unknown> => {
  const { site } = await world.site('cars').open();
  return await site
    .client('homes')
    .hello({ trace: 'trace-1234' })
    .catch((error: unknown) => error);
};

describe('a peer that took our signature once', { timeout: 60_000 }, () => {
  it('is shown no key by a daemon that runs, nor by one that starts anew, whatever it answers', async () => {
    const cars = world.site('cars');
    await cars.start({ manual: true });
    expect(await greet()).toMatchObject({ site: 'homes' });
    isLying = true;
    expect(await greet()).toMatchObject({ code: 'KEY_STRIPPED' });
    await cars.stop();
    await cars.start({ manual: true });
    expect(await greet()).toMatchObject({ code: 'KEY_STRIPPED' });
    expect(new Set(shown)).toEqual(new Set(['signature']));
  });

  it('is shown a key again only once public_key is taken out of its entry', async () => {
    const cars = world.site('cars');
    const { site } = await cars.open();
    const peers = cars.config.peers.map((peer) => ({ ...peer, publicKeys: [] }));
    await site.reconfigure({ ...cars.config, peers }, AbortSignal.timeout(30_000));
    shown.length = 0;
    await greet();
    expect(shown).toEqual(['signature', `Bearer ${keyOf('cars')}`]);
  });
});
