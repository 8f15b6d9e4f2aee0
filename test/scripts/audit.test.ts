/** scripts/audit.ts on lock files that somebody has tampered with, and with a service for vulnerabilities that we play. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lockProblems, type LockEntry, type LockFile, type Manifest } from '../../scripts/lock-file.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
const good = read('package-lock.json') as LockFile;
const manifest = read('package.json') as Manifest;
/** One that users get, and one that only tests do. */
const [SHIPPED, OF_TESTS] = ['node_modules/fastify', 'node_modules/vitest'];
const SUM = `sha512-${'A'.repeat(86)}==`;

let folder: string;
let service: Server;
let registry: string;
/** What the service knows; undefined: it does not answer such questions. */
let advisories: Readonly<Record<string, object[]>> | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-audit-'));
  mkdirSync(join(folder, 'scripts'));
  for (const name of ['audit.ts', 'lock-file.ts', 'shipped.js'])
    cpSync(join(ROOT, 'scripts', name), join(folder, 'scripts', name));
  symlinkSync(join(ROOT, 'src'), join(folder, 'src'));
  service = createServer(({ url = '', method }, answer) => {
    const known = method === 'POST' && url === '/-/npm/v1/security/advisories/bulk' ? advisories : packument(url);
    answer.writeHead(known === undefined ? 404 : 200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(known ?? {}));
  });
  await new Promise<void>((resolve) => void service.listen(0, '127.0.0.1', resolve));
  registry = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  await new Promise((resolve) => void service.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  advisories = {};
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(ROOT, name), join(folder, name));
});

/** What a registry says of a package that is locked here: npm asks it for those with vulnerabilities, and what needs them. */
function packument(url: string): object | undefined {
  const name = decodeURIComponent(url.slice(1));
  const { version, dependencies = {} } = good.packages[`node_modules/${name}`] ?? {};
  if (version === undefined) return undefined;
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dependencies, dist: {} } } };
}

const lockWith = (entries: Readonly<Record<string, LockEntry>>): LockFile => ({
  ...good,
  packages: { ...good.packages, ...entries },
});

async function audit(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = {
    PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`,
    HOME: folder,
    npm_config_registry: registry,
    npm_config_cache: join(folder, 'cache'),
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/audit.ts', ...args], { cwd: folder, env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

const entryOf = (path: string, changes: LockEntry): LockFile =>
  lockWith({ [path]: { ...good.packages[path], ...changes } });
const own = (host: string): string => `https://${host}/fastify/-/fastify-${good.packages[SHIPPED]?.version}.tgz`;
const REAL = own('registry.npmjs.org');
const FOREIGN = /^node_modules\/fastify: not the registry's own tarball/;

describe('a lock file', () => {
  it('as it is in the project is right, with the addresses of the registry or without', () => {
    expect(lockProblems(good, manifest, '')).toEqual([]);
    expect(lockProblems(entryOf(SHIPPED, { resolved: REAL }), manifest, '')).toEqual([]);
  });

  it.each<[string, LockFile, RegExp]>([
    ['with a tarball from elsewhere', entryOf(SHIPPED, { resolved: own('registry.example.com') }), FOREIGN],
    [
      'with an address that only begins like the registry',
      entryOf(SHIPPED, { resolved: own('registry.npmjs.org.example.com') }),
      FOREIGN,
    ],
    ['with an account before the host', entryOf(SHIPPED, { resolved: own('registry.npmjs.org@example.com') }), FOREIGN],
    ['without TLS', entryOf(SHIPPED, { resolved: REAL.replace('https', 'http') }), FOREIGN],
    ["with another package's tarball", entryOf(SHIPPED, { resolved: REAL.replaceAll('fastify', 'fastlfy') }), FOREIGN],
    [
      'with another version of the tarball',
      entryOf(SHIPPED, { resolved: REAL.replace(/-[\d.]+tgz/, '-1.0.0.tgz') }),
      FOREIGN,
    ],
    [
      'with a package from git',
      entryOf(OF_TESTS, { resolved: 'git+ssh://git@github.com/a/b.git#0123456789' }),
      /vitest: not the registry's own tarball/,
    ],
    [
      'with a package from a file',
      entryOf(OF_TESTS, { resolved: 'file:../vitest.tgz' }),
      /vitest: not the registry's own tarball/,
    ],
    ['without a checksum', entryOf(OF_TESTS, { integrity: '' }), /vitest: no SHA-512/],
    [
      'with a checksum of another kind',
      entryOf(OF_TESTS, { integrity: `sha1-${'A'.repeat(27)}=` }),
      /vitest: no SHA-512/,
    ],
    [
      'with a choice of checksums',
      entryOf(OF_TESTS, { integrity: `${SUM} ${SUM.replace('A', 'B')}` }),
      /vitest: no SHA-512/,
    ],
    [
      'with another package under a known name',
      entryOf(SHIPPED, { name: 'fastlfy' }),
      /fastify: is fastlfy, which nothing asks for/,
    ],
    ['with a link to a folder', entryOf(OF_TESTS, { link: true }), /vitest: no package of the registry/],
    [
      'with a folder of the project as a package',
      lockWith({ 'packages/extra': { version: '1.0.0', integrity: SUM } }),
      /packages\/extra: no package of the registry/,
    ],
    [
      'with a program that would run when it is installed',
      entryOf(OF_TESTS, { hasInstallScript: true }),
      /vitest: runs a program .*allowScripts/,
    ],
    ['of an old kind', { ...good, lockfileVersion: 1 }, /of version 1, not 3/],
  ])('%s is refused', (_what, lock, says) => {
    expect(lockProblems(lock, manifest, '')).toEqual(
      expect.arrayContaining([expect.stringMatching(says) as string]) as string[],
    );
  });

  it('beside an .npmrc that names a registry is refused', () => {
    const npmrc = '@fastify:registry=https://registry.example.com/\n';
    expect(lockProblems(good, manifest, npmrc)).toEqual(['.npmrc: names a registry']);
  });

  it('of a project that asks for a range of versions is refused', () => {
    const loose = { ...manifest, devDependencies: { ...manifest.devDependencies, fastify: '^5.0.0' } };
    expect(lockProblems(good, loose, '')).toEqual(['fastify: the version is not exact (^5.0.0)']);
  });
});

describe('the check', { timeout: 60_000 }, () => {
  it('passes on the project, and fails on a lock file with a foreign tarball', async () => {
    expect(await audit('--strict')).toMatchObject({ code: 0, err: '' });
    const foreign = entryOf(SHIPPED, { resolved: own('registry.example.com'), hasInstallScript: true });
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(foreign));
    const { code, err } = await audit();
    expect(code).toBe(1);
    expect(err).toMatch(/not the registry's own tarball/);
    expect(err).toMatch(/fastify: users get it, and it runs a program/);
  });
});

describe('the service for vulnerabilities', { timeout: 60_000 }, () => {
  // npm remembers what it found out of an advisory, by its number.
  let advisory = 0;
  const known = (severity: string): object[] => [
    {
      id: (advisory += 1),
      url: `https://example.com/${advisory}`,
      title: 'one',
      severity,
      vulnerable_versions: '>=0',
      cwe: [],
      cvss: {},
    },
  ];

  it('that cannot be asked is told, and is a failure with --strict only', async () => {
    advisories = undefined;
    const plain = await audit();
    expect(plain).toMatchObject({ code: 0, out: expect.stringContaining('could not be asked') as string });
    const strict = await audit('--strict');
    expect(strict).toMatchObject({ code: 1, err: expect.stringContaining('could not be asked') as string });
  });

  it('that is not there at all is no success with --strict', async () => {
    const before = registry;
    registry = 'http://127.0.0.1:9/';
    expect((await audit('--strict')).code).toBe(1);
    registry = before;
  });

  it.each(['critical', 'high'])(
    'that knows of a %s one in what users get ends the check as failed',
    async (severity) => {
      advisories = { fastify: known(severity) };
      const { code, err } = await audit();
      expect(err).toContain('node_modules/fastify: a vulnerability of level high or critical');
      expect(code).toBe(1);
    },
  );

  it.each([
    ['of a moderate one in what users get', { fastify: known('moderate') }],
    ['of a critical one in what only tests use', { vitest: known('critical') }],
  ])('that knows only %s is no failure', async (_what, list) => {
    advisories = list;
    const { code, out, err } = await audit('--strict');
    expect(err).toBe('');
    expect(out).toContain('0 problems, no serious vulnerability known');
    expect(code).toBe(0);
  });
});
