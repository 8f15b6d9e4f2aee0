/** What starts the program in a checkout; the build puts the same beside what it makes. */
import { execFile, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../../scripts/database/command.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const { engines, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  engines: { node: string };
  version: string;
};
const PROGRAM = join(ROOT, 'bin/account-sync.js');
/** Of an account that owns nothing. */
const NOBODY = 65_534;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-launcher-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | string | null;
  readonly out: string;
  readonly err: string;
}
const start = async (node: string, args: readonly string[], options: object = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(node, args, { encoding: 'utf8', ...options }, (error, out, err) => {
      resolve({ code: error === null ? 0 : (error.code ?? null), out, err });
    });
  });

describe('the program', { timeout: 120_000 }, () => {
  it('runs as it stands in a checkout', async () => {
    expect(await start(process.execPath, [PROGRAM, '--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
    expect((await start(process.execPath, [PROGRAM, 'no-such-command'])).code).toBe(2);
  });

  it.each(['18.20.4', '20.19.2', '22.18.0', '21.7.3'])(
    'says to Node.js %s what it needs, and is not begun',
    async (old) => {
      const pretend = join(folder, 'pretend.cjs');
      writeFileSync(pretend, `Object.defineProperty(process.versions, 'node', { value: '${old}' });`);
      const { code, out, err } = await start(process.execPath, ['--require', pretend, PROGRAM, '--version']);
      expect([code, out]).toEqual([2, '']);
      expect(err).toMatch(
        new RegExp(`^account-sync needs Node\\.js ${engines.node.slice(2)} or later, and this is ${old} `),
      );
      expect(err.trimEnd().split('\n')).toHaveLength(2);
    },
  );

  it('says so to the Node.js of this machine, if that is a real old one', async ({ skip }) => {
    const candidates = ['/usr/bin/node', '/usr/bin/nodejs', findProgram('node') ?? ''];
    const old = candidates.find((path) => {
      const said = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '';
      return /^v(?:1[4-9]|2[01])\./.test(said);
    });
    if (old === undefined) skip('this machine has no Node.js of before 22');
    const { code, err } = await start(old ?? '', [PROGRAM, 'run']);
    expect([code, err]).toEqual([2, expect.stringMatching(/^account-sync needs Node\.js [^]*→ Install Node\.js \d+/)]);
  });

  it.for([
    ['the config', (file: string) => writeFileSync(file, 'site: {}\n', { mode: 0o600 })],
    [
      'a file of secrets that it names',
      (file: string) => {
        writeFileSync(file, `site: { name: a, url: "https://a.example.com/", api_key_file: ${folder}/key }\n`, {
          mode: 0o644,
        });
        writeFileSync(join(folder, 'key'), 'k'.repeat(40), { mode: 0o600 });
      },
    ],
  ] as const)('says whose %s is, where it may not read it', async ([, write], { skip }) => {
    if (process.getuid?.() !== 0) skip('only root can start a program as another account');
    const file = join(folder, 'config.yaml');
    rmSync(file, { force: true });
    write(file);
    chownSync(folder, NOBODY, NOBODY);
    const env = { ...process.env, ACCOUNT_SYNC_CONFIG: file };
    const { code, err } = await start(process.execPath, [PROGRAM, 'health'], { uid: NOBODY, gid: NOBODY, env });
    expect(code).toBe(2);
    expect(err).toMatch(/permission denied: it belongs to user 0, mode 600, and this process runs as user 65534/);
    chownSync(file, NOBODY, NOBODY);
    rmSync(join(folder, 'key'), { force: true });
    const repaired = await start(process.execPath, [PROGRAM, 'health'], { uid: NOBODY, gid: NOBODY, env });
    expect(repaired.err).not.toMatch(/permission denied/);
  });
});
