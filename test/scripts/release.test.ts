/** What `npm run release` puts into a folder, and what the image is built from. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import config, { output } from '../../rolldown.config.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const { name, version, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
  devDependencies: Readonly<Record<string, string>>;
};

interface Component {
  'bom-ref': string;
  name: string;
  version: string;
  scope: string;
  purl: string;
  hashes: { alg: string; content: string }[];
  licenses: unknown[];
  properties: { name: string }[];
}
interface Sbom {
  bomFormat: string;
  specVersion: string;
  metadata: { component: { name: string; version: string; type: string; 'bom-ref': string } };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

let folder: string;
let sbom: Sbom;

/** Throws with what it said. */
function run(command: string, args: readonly string[], cwd: string): void {
  const env = { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}` };
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-release-'));
  run(process.execPath, ['scripts/release.js', '--without-image', '--out', join(folder, 'out')], ROOT);
  sbom = JSON.parse(readFileSync(join(folder, 'out/sbom.cdx.json'), 'utf8')) as Sbom;
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a release is a tarball, the list of what is inside, and checksums that are right', () => {
  const tarball = `${name}-${version}.tgz`;
  const out = join(folder, 'out');
  expect(readdirSync(out).toSorted()).toEqual(['SHA256SUMS', tarball, 'sbom.cdx.json'].toSorted());
  const sums = [tarball, 'sbom.cdx.json'].map(
    (file) =>
      `${createHash('sha256')
        .update(readFileSync(join(out, file)))
        .digest('hex')}  ${file}\n`,
  );
  expect(readFileSync(join(out, 'SHA256SUMS'), 'utf8')).toBe(sums.join(''));
});

test('the list is CycloneDX of the program, each package with version, checksum and licence', () => {
  expect(sbom).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name, version, type: 'application' } },
  });
  expect(sbom.specVersion).toMatch(/^1\.\d$/);
  for (const one of sbom.components) {
    expect(one.purl).toBe(`pkg:npm/${one.name.replace('@', '%40')}@${one.version}`);
    expect(one.hashes).toEqual([{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) as string }]);
    expect(one.licenses, one['bom-ref']).toHaveLength(1);
    expect(one.scope).toBe('required');
    expect(one.properties.map((property) => property.name)).not.toContain('cdx:npm:package:development');
  }
});

test('the list has whatever the bundle is made of', { timeout: 60_000 }, async () => {
  const bundle = await build({ ...config, cwd: ROOT, write: false, output: { ...output, cleanDir: false } });
  const files = bundle.output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  const inside = new Set(
    files.flatMap((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file.replace(/\?.*$/, ''))?.[1] ?? []),
  );
  expect(inside.size).toBeGreaterThan(50);
  const listed = new Set(sbom.components.map((one) => one.name));
  expect([...inside].filter((one) => !listed.has(one))).toEqual([]);
});

test('the list has nothing that only builds and tests the program', () => {
  const listed = new Set(sbom.components.map((one) => one.name));
  expect([...listed]).toEqual(expect.arrayContaining(['fastify', 'kysely', 'mysql2', 'undici']));
  const others = [
    'vitest',
    'typescript',
    'rolldown',
    'oxlint',
    'prettier',
    'testcontainers',
    'knip',
    'fast-check',
    'node',
  ];
  for (const one of others) {
    expect(Object.keys(devDependencies)).toContain(one);
    expect([...listed]).not.toContain(one);
  }
});

test('the list says what depends on what, all of it inside the list', () => {
  const refs = new Set([sbom.metadata.component['bom-ref'], ...sbom.components.map((one) => one['bom-ref'])]);
  expect(new Set(sbom.dependencies.map(({ ref }) => ref))).toEqual(refs);
  for (const { dependsOn } of sbom.dependencies) for (const one of dependsOn) expect([...refs]).toContain(one);
});

test('the image is built from what Dockerfile copies, with the list inside', { timeout: 120_000 }, () => {
  const [stage = ''] = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').split(/^FROM (?!.* AS )/m);
  const place = join(folder, 'app');
  mkdirSync(place);
  for (const [, words = ''] of stage.matchAll(/^COPY (.+)$/gm)) {
    const paths = words.split(' ');
    const target = paths.pop() ?? '';
    for (const path of paths) {
      const to = target.endsWith('/') ? join(place, target, path.replace(/^.*\//, '')) : join(place, target);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(ROOT, path), to, { recursive: true });
    }
  }
  // In the place of `npm ci`.
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  const steps = Array.from(stage.matchAll(/^RUN (.+)$/gm), ([, step = '']) => step);
  const [install, ...others] = steps;
  expect(install).toMatch(/^npm ci --ignore-scripts /);
  for (const step of others) run('sh', ['-c', step], place);
  const made = JSON.parse(readFileSync(join(place, 'dist/sbom.cdx.json'), 'utf8')) as Sbom;
  expect(made.components).toEqual(sbom.components);
});

test('secrets that lie in deploy/ get into neither tarball nor image nor commit', () => {
  const place = join(folder, 'packed');
  mkdirSync(place);
  for (const file of ['package.json', '.gitignore', 'deploy']) {
    cpSync(join(ROOT, file), join(place, file), { recursive: true });
  }
  writeFileSync(join(place, 'deploy/.env'), 'CARS_API_KEY=a-secret\n');
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: place,
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const packed = files.map(({ path }) => path);
  expect(packed).toContain('deploy/.env.example');
  expect(packed).not.toContain('deploy/.env');
  expect(readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')).toContain('deploy');
  expect(readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n')).toContain('deploy/.env');
});
