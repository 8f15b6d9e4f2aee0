/** What `account-sync check` says of keys and fingerprints, both ways. */
import { describe, expect, it } from 'vitest';
import { checkLinkKeys, judgeKeys } from '../../src/admin/check/keys.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Hello } from '../../src/model/record.ts';
import { fingerprintOf, publicHalf, type SigningKey } from '../../src/model/signing-key.ts';

const keyOf = (n: number): SigningKey => Buffer.alloc(32, n).toString('base64') as SigningKey;
const [ours, theirs, another] = [keyOf(1), keyOf(2), keyOf(3)];
const printOf = (key: SigningKey): string => fingerprintOf(publicHalf(key));
const configOf = (site: string, ...peers: string[]) =>
  parseConfig(
    `site: { name: cars, url: "https://cars.example.com/", api_key: 0123456789-0123456789${site} }
database: { host: h, user: u, password: p, name: n }
peers: [${peers.map((peer, n) => `{ name: peer-${n}, url: "https://peer-${n}.example.com/", ${peer} }`).join(', ')}]`,
    'config.yaml',
    {},
    () => '',
  ).config;
const signing = `, signing_key: ${ours}`;
const pinned = `public_key: ${publicHalf(theirs)}`;
const [bearer, bearerToo] = ['api_key: peer-0-key-0123456789', 'api_key: peer-1-key-0123456789'];
const hello: Hello = {
  status: 'OK',
  site: 'peer-0',
  peer: 'cars',
  protocols: ['native/1'],
  version: '0.2.0',
  time: '2026-01-01T00:00:00.000Z',
  timezone: true,
  receive: true,
  send: true,
  columns: { accept: [], send: [] },
  features: ['rows', 'signatures'],
  public_key: printOf(theirs),
  known_keys: [printOf(ours)],
};

describe('the config alone', () => {
  const said = (...config: Parameters<typeof configOf>): string[] =>
    checkLinkKeys(configOf(...config)).map(({ result, check, message }) => `${result} ${check} ${message}`);

  it('is well where both sides sign, and shows our fingerprint', () => {
    expect(said(signing, pinned)).toEqual([`ok signatures this site signs as ${printOf(ours)}`]);
  });

  it('warns of native peers without public_key, and of a site that signs nothing', () => {
    expect(said('', bearer)).toEqual([
      expect.stringMatching(/^warn signatures no site\.signing_key/),
      expect.stringMatching(/^warn signatures no public_key here of peer-0: whoever learns/),
    ]);
    expect(said('', `${bearer}, protocol: plugin`)).toEqual([]);
  });

  it('warns of one key that several peers are shown, but not of those that take our signature', () => {
    const shared = expect.stringMatching(/^warn keys peer-0, peer-1 are shown the same key/) as string;
    expect(said(signing, bearer, bearerToo)).toContainEqual(shared);
    expect(said('', `${bearer}, protocol: plugin`, `${bearerToo}, protocol: plugin`)).toEqual([shared]);
    expect(said(signing, `${bearer}, send_key: key-for-peer-0-0123456789`, bearerToo)).not.toContainEqual(shared);
    expect(said(signing, pinned, bearerToo)).not.toContainEqual(shared);
  });
});

describe('what a peer says', () => {
  const said = (site: string, peer: string, more: Partial<Hello> = {}): string[] => {
    const config = configOf(site, peer);
    const [one] = config.peers;
    return judgeKeys({ ...hello, ...more }, config, one as NonNullable<typeof one>).map(
      ({ result, message }) => `${result} ${message}`,
    );
  };

  it('is compared both ways', () => {
    expect(said(signing, pinned)).toEqual([`ok signs as ${printOf(theirs)}, as its entry here says`]);
  });

  it('fails where it signs with another key than is pinned, or with none', () => {
    const wrong = printOf(another);
    expect(said(signing, pinned, { public_key: wrong })).toEqual([
      `fail signs as ${wrong}, but its entry here has ${printOf(theirs)}`,
    ]);
    expect(said(signing, pinned, { public_key: null })).toEqual([
      expect.stringMatching(/^fail .*has no site\.signing_key/),
    ]);
  });

  it('warns where it has not our key, or we not its', () => {
    expect(said(signing, pinned, { known_keys: [] })[1]).toMatch(/^warn does not have our public key .*shown a key/);
    expect(said(signing, bearer)).toEqual([expect.stringMatching(/^warn says that it signs as .*no public_key here/)]);
  });

  it('says nothing of a peer of version 0.1 with a key, and fails where that has a public key', () => {
    const { public_key: _p, known_keys: _k, features: _f, ...old } = hello;
    const config = configOf(signing, bearer);
    expect(judgeKeys(old, config, config.peers[0] as (typeof config.peers)[number])).toEqual([]);
    const other = configOf(signing, pinned);
    expect(
      judgeKeys({ ...old, version: '0.1.0' }, other, other.peers[0] as (typeof other.peers)[number]),
    ).toMatchObject([
      { result: 'fail', message: expect.stringMatching(/account-sync 0\.1\.0, which signs nothing/) as string },
    ]);
  });
});
