/** The samples of deploy/ that other programs read, read by those programs. Proxies: test/flow/deploy-proxies.test.ts. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, run } from '../../scripts/database/command.js';
import { sampleProgram, type SampleProgram } from '../../scripts/sample-programs.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const DEPLOY = join(ROOT, 'deploy');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-samples-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Skips, and says why, where the program cannot be had. */
async function commandOf(name: SampleProgram, skip: (why: string) => never): Promise<[string, ...string[]]> {
  const program = await sampleProgram(name);
  return 'reason' in program ? skip(program.reason) : program.command;
}

/** What it says of a unit; units of this machine that it looks at too may have faults of their own. */
async function verify(analyze: string, file: string): Promise<{ stderr: string }> {
  return new Promise((resolve) => {
    execFile(analyze, ['verify', '--man=no', file], (_error, _stdout, stderr) => resolve({ stderr }));
  });
}

const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8');

describe('Prometheus', { timeout: 300_000 }, () => {
  it('takes prometheus.yaml, with the rules it names', async ({ skip }) => {
    const [path, ...first] = await commandOf('promtool', skip);
    const token = join(folder, 'token');
    writeFileSync(token, 'a-token-of-an-administrator');
    const file = join(folder, 'prometheus.yaml');
    const [named = ''] = /\/etc\/prometheus\/\S*token\S*/.exec(read('prometheus.yaml')) ?? [];
    expect(named).not.toBe('');
    // Only where the token lies is another place.
    writeFileSync(file, read('prometheus.yaml').replaceAll(/\/etc\/prometheus\/\S+/g, token));
    cpSync(join(DEPLOY, 'alerts.yaml'), join(folder, 'alerts.yaml'));
    const said = await run(path, [...first, 'check', 'config', '--lint=all', '--lint-fatal', file]);
    const rules = /alert: /g;
    expect(said).toMatch(/1 rule files? found/);
    expect(said).toContain(`${read('alerts.yaml').match(rules)?.length} rules found`);
  });

  it('refuses rules that are none: the check can fail', async ({ skip }) => {
    const [path, ...first] = await commandOf('promtool', skip);
    const file = join(folder, 'broken.yaml');
    writeFileSync(file, read('alerts.yaml').replace('== 0', '=== 0'));
    await expect(run(path, [...first, 'check', 'rules', file])).rejects.toThrow(/parse error/);
  });
});

interface Service {
  volumes?: { type: string; source: string; target: string; read_only?: boolean }[];
  networks: Record<string, unknown>;
  ports?: { host_ip: string }[];
}

describe('compose', { timeout: 300_000 }, () => {
  it('takes compose.yaml with the variables of .env.example, and finds every file it names', async ({ skip }) => {
    const [path, ...first] = await commandOf('docker-compose', skip);
    const environment = join(folder, 'filled.env');
    writeFileSync(environment, read('.env.example').replaceAll(/=$/gm, '=a-key-of-more-than-twenty-characters'));
    const args = ['-f', join(DEPLOY, 'compose.yaml'), '--env-file', environment, 'config', '--format', 'json'];
    const { services, networks } = JSON.parse(await run(path, [...first, ...args])) as {
      services: Record<string, Service>;
      networks: Record<string, { internal?: boolean }>;
    };
    expect(Object.keys(services).toSorted()).toEqual(['cars-db', 'cars-sync', 'homes-db', 'homes-sync']);
    const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.filter(({ type }) => type === 'bind'),
    );
    expect(mounted.map(({ target }) => target)).toEqual(['/config', '/config']);
    for (const { source } of mounted) expect(existsSync(join(source, 'config.yaml')), source).toBe(true);
    for (const site of ['cars', 'homes']) {
      const daemon = services[`${site}-sync`];
      expect(daemon).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        mem_limit: String(512 * 1024 * 1024),
        memswap_limit: String(512 * 1024 * 1024),
        pids_limit: 64,
        // It writes no zeros.
        ulimits: { core: {} },
        restart: 'unless-stopped',
      });
      expect(daemon?.ports?.map((port) => port.host_ip)).toEqual(['127.0.0.1']);
      expect(daemon?.volumes?.every((volume) => volume.read_only)).toBe(true);
      // What breaks into one site gets no further than its daemon's own door at the other.
      expect(Object.keys(services[`${site}-db`]?.networks ?? {})).toEqual([site]);
      expect(Object.keys(daemon?.networks ?? {}).toSorted()).toEqual(['between', site].toSorted());
      expect(networks[site]?.internal).toBe(true);
      expect(services[`${site}-db`]?.ports).toBeUndefined();
    }
    await expect(
      run(path, [...first, '-f', join(DEPLOY, 'compose.yaml'), 'config'], {
        cwd: folder,
        env: { PATH: process.env['PATH'] },
      }),
    ).rejects.toThrow(/required variable/);
  });
});

describe('systemd', { timeout: 60_000 }, () => {
  it('takes the unit, and finds that it may do next to nothing', async ({ skip }) => {
    const analyze = findProgram('systemd-analyze');
    if (analyze === undefined)
      skip('systemd-analyze is not on this machine: install systemd, so that the unit is checked');
    const file = join(folder, 'account-sync.service');
    // Only where the checkout lies is another place.
    writeFileSync(file, read('account-sync.service').replaceAll('/opt/account-sync/', ROOT));
    const { stderr } = await verify(analyze ?? '', file);
    expect(stderr.split('\n').filter((line) => line.includes('account-sync'))).toEqual([]);
    await expect(run(analyze ?? '', ['security', '--offline=true', '--threshold=15', file])).resolves.toContain('OK');
    writeFileSync(file, read('account-sync.service').replace('[Service]', '[Service]\nProtectEverything=yes'));
    expect((await verify(analyze ?? '', file)).stderr).toMatch(/ProtectEverything/);
  });
});
