/** Somebody on the way answers for a peer with a certificate of his own, and the environment says that this is fine. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/free-port.js';
import type { Finding } from '../../../src/admin/check/finding.ts';
import { makePeerClient } from '../../../src/peer/client.ts';
import { makePluginClient } from '../../../src/plugin/client.ts';
import { configOf, makeCli, type Cli } from '../../support/cli.ts';
import { keyCredentials } from '../../support/key-credentials.ts';
import { keyOf, makeWorld, type World } from '../../support/world.ts';

const fileOf = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url)));

let world: World;
let impostor: Server;
let url: string;
let cli: Cli;
/** What somebody who is not the peer got to see: keys, above all. */
const heard: string[] = [];

beforeAll(async () => {
  impostor = createServer({ key: fileOf('server.key'), cert: fileOf('self-signed.pem') }, (request, answer) => {
    heard.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    answer.end('{}');
  });
  await new Promise<void>((resolve) => void impostor.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(impostor.address() as AddressInfo).port}/`;
  world = await makeWorld(['cars'], { idle: true });
  const config = configOf(world.site('cars'), [{ name: 'homes', url }], { port: await freePort() });
  cli = makeCli(config, undefined, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
}, 90_000);
afterAll(async () => {
  await new Promise((resolve) => void impostor?.close(resolve));
  cli?.close();
  await world?.close();
});

describe('NODE_TLS_REJECT_UNAUTHORIZED=0', { timeout: 60_000 }, () => {
  it.each([['run'], ['feed', 'homes'], ['stream']])(
    'is refused by %s, with a sentence that says why and what to do instead',
    async (...args) => {
      const { code, out, err } = await cli.run(...args);
      expect(err).toMatch(/^TLS_UNVERIFIED: .*pass for a peer/m);
      expect(err).toMatch(/NODE_EXTRA_CA_CERTS=FILE/);
      expect([code, out]).toEqual([2, '']);
    },
  );

  it('is a failure in check, which then calls no peer', async () => {
    const { code, out } = await cli.run('check', '--json');
    const { findings } = JSON.parse(out) as { findings: Finding[] };
    expect(findings.filter(({ result }) => result === 'fail')).toMatchObject([
      { check: 'tables' },
      { check: 'certificates', remedy: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string },
    ]);
    expect(findings.filter((one) => one.check.startsWith('peer '))).toEqual([]);
    expect(code).toBe(3);
  });

  it('set by whatever means makes no client accept a certificate of nobody', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    const native = makePeerClient({ url, credentials: keyCredentials(keyOf('cars')), site: 'cars' });
    const plugin = makePluginClient({ url, apiKey: keyOf('cars') });
    try {
      await expect(native.hello({ trace: 'a' })).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
      await expect(plugin.call('userFeedRequest', [])).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
      await native.close();
      await plugin.close();
    }
  });

  it('gave nobody on the way a key or a request', () => {
    expect(heard).toEqual([]);
  });
});
