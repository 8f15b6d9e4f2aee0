/** What lies in deploy/ is held to the program: metrics that exist, configs that load, keys and routes that are real. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config/load.ts';
import { METRICS, type MetricDescription } from '../../src/metrics/metric-names.ts';
import { makeMetrics } from '../../src/metrics/metrics.ts';
import { ROOT } from './sources.ts';

const read = (name: string): string => readFileSync(join(ROOT, 'deploy', name), 'utf8');

interface Dashboard {
  panels: { title: string; description: string; targets: { expr: string; legendFormat: string }[] }[];
  templating: { list: { definition?: string }[] };
}
interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
}
const dashboard = JSON.parse(read('grafana-dashboard.json')) as Dashboard;
const { rules } = (parse(read('alerts.yaml')) as Rules).groups[0] ?? { rules: [] };
const expressions = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [`panel ${title}`, expr] as const)),
  ...dashboard.templating.list.flatMap(({ definition }) =>
    definition === undefined ? [] : [['list', definition] as const],
  ),
  ...rules.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
];

const ofProcess = new Set(
  [...(await makeMetrics({ ofProcess: true }).render([])).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
);
/** What Prometheus adds to every sample. */
const EVERYWHERE = ['instance', 'job', 'le'];

/** The names of metrics in an expression, each with the labels in its braces. */
function metricsIn(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b((?:account_sync|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', inside = '']) => ({
      name,
      labels: [...inside.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
    }),
  );
}

/** The description, if the name is one that Prometheus sees. */
function described(name: string): MetricDescription | undefined {
  const all: Readonly<Record<string, MetricDescription>> = METRICS;
  const base = all[name.replace(/_(?:bucket|sum|count)$/, '')];
  return base?.type === 'histogram' ? base : all[name];
}

test.each(expressions)('%s names only metrics and labels that exist', (_name, expression) => {
  const named = metricsIn(expression);
  expect(named.length > 0 || expression.startsWith('up{')).toBe(true);
  for (const { name, labels } of named.filter((metric) => metric.name.startsWith('account_sync_'))) {
    const description = described(name);
    expect([name, description]).not.toContain(undefined);
    const isPart = /_(?:bucket|sum|count)$/.test(name);
    expect([name, isPart]).toEqual([name, description?.type === 'histogram']);
    expect(labels.filter((label) => ![...EVERYWHERE, ...(description?.labels ?? [])].includes(label))).toEqual([]);
    // Only counters and buckets have a rate.
    const isRated = new RegExp(`(?:rate|increase)\\(${name}`).test(expression);
    expect([name, isRated]).toEqual([name, description?.type !== 'gauge']);
  }
  const others = named.filter(({ name }) => !name.startsWith('account_sync_') && !ofProcess.has(name));
  expect(others).toEqual([]);
  const grouped = [...expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
  const known = new Set([...EVERYWHERE, ...named.flatMap(({ name }) => described(name)?.labels ?? [])]);
  expect(grouped.filter((label) => !known.has(label))).toEqual([]);
});

test('the dashboard shows every metric but those that only describe', () => {
  const shown = new Set(
    dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr))).map(({ name }) => name),
  );
  const missing = Object.keys(METRICS).filter(
    (name) => ![...shown].some((each) => each === name || each.startsWith(`${name}_`)),
  );
  expect(missing).toEqual([
    'account_sync_build_info',
    'account_sync_vanished_accounts',
    'account_sync_feed_users',
    'account_sync_feed_last_user_id',
  ]);
  expect(dashboard.panels.filter(({ description }) => description === '')).toEqual([]);
});

test('every alert says what is the matter and what to do', () => {
  expect(rules.length).toBeGreaterThan(10);
  for (const { annotations } of rules) expect(Object.keys(annotations)).toEqual(['summary', 'action']);
});

test.each(['cars', 'homes'])('the config of %s in compose.yaml loads with the variables of .env.example', (name) => {
  const compose = parse(read('compose.yaml'), { merge: true }) as {
    services: Record<string, { environment: Record<string, string>; volumes: string[] }>;
  };
  const daemon = compose.services[`${name}-sync`];
  const promised = [...read('.env.example').matchAll(/^(\w+)=$/gm)].map(([, variable]) => variable);
  const values = Object.entries(daemon?.environment ?? {}).map(([variable, from], n) => {
    expect(promised).toContain(/^\$\{(\w+):\?\}$/.exec(from)?.[1]);
    // Each key of a pair is 32 bytes in base64.
    const isOfPair = /_(?:SIGNING|PUBLIC)_KEY$/.test(variable);
    return [
      variable,
      isOfPair ? Buffer.alloc(32, n).toString('base64') : `value-${n}-of-a-secret-that-is-long`,
    ] as const;
  });
  const { config } = parseConfig(read(`${name}/config.yaml`), `${name}.yaml`, Object.fromEntries(values), () => '');
  expect(Object.keys(compose.services)).toContain(config.database.host);
  expect(config.site.signingKey).not.toBeNull();
  for (const peer of config.peers) expect(peer.publicKeys).toHaveLength(1);
  for (const peer of config.peers) expect(Object.keys(compose.services)).toContain(new URL(peer.url).hostname);
  expect(daemon).toMatchObject({ stop_grace_period: '15s', logging: { options: { 'max-size': '10m' } } });
  // A single file that is mounted goes on being the one that an editor has replaced.
  expect(daemon?.volumes).toEqual([`./${name}:/config:ro`]);
});

test('proxies and unit name addresses, keys and files that exist', () => {
  for (const proxy of ['nginx.conf', 'Caddyfile']) {
    expect(read(proxy)).toContain('127.0.0.1:8470');
    const config = /http: (\{.*\})/.exec(read(proxy))?.[1] ?? '';
    const { http } = parseConfig(
      `site: { name: a, url: "https://a.example.com/", api_key: 0123456789-0123456789 }\ndatabase: { host: h, user: u, password: p, name: n }\nhttp: ${config}\n`,
      'proxy.yaml',
      {},
      () => '',
    ).config;
    expect(http).toMatchObject({ basePath: '/account-sync/', trustProxy: ['127.0.0.1', '::1'] });
  }
  expect(read('account-sync.service')).toContain('/dist/account-sync.js run');
});

test('the config that the unit tells of loads with the files that systemd hands over', () => {
  const unit = read('account-sync.service');
  const [, name = '', folder = ''] = /^LoadCredential=(\w+):(\S+)$/m.exec(unit) ?? [];
  expect(unit).toContain(`install -d -m 0700 ${folder} `);
  const sections = Array.from(unit.matchAll(/^#\s+((?:site|database): +\{.*\})$/gm), ([, section = '']) => section);
  expect(sections).toHaveLength(2);
  const more = ['name: a, url: "https://a.example.com/"', 'host: h, user: u, name: n'];
  const text = sections.map((section, n) => section.replace(/ \}$/, `, ${more[n]} }`));
  const asked: string[] = [];
  const environment = { CREDENTIALS_DIRECTORY: '/run/credentials/account-sync.service' };
  const { config } = parseConfig(`${text.join('\n')}\npeers: []\n`, 'config.yaml', environment, (path) => {
    asked.push(path);
    return `content of ${path.replace(/.*\//, '')}`.replaceAll(' ', '-');
  });
  expect(config.database.password).toBe(`content-of-${name}_database_password`);
  expect(config.site.apiKey).toBe(`content-of-${name}_api_key`);
  expect(asked.every((path) => path.startsWith(`${environment.CREDENTIALS_DIRECTORY}/`))).toBe(true);
});

test('the unit limits what the process may do and take, as docs/security.md says', () => {
  const lines = read('account-sync.service').split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'MemoryMax=512M',
      'MemorySwapMax=0',
      'TasksMax=64',
      'LimitCORE=0',
      'CapabilityBoundingSet=',
      'NoNewPrivileges=yes',
      'PrivateUsers=yes',
      'ProcSubset=pid',
      'ProtectProc=invisible',
      'ProtectSystem=strict',
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~@privileged @resources',
      'UMask=0077',
    ]),
  );
  // With it Node.js dies at the start.
  expect(lines.some((line) => line.startsWith('MemoryDenyWriteExecute='))).toBe(false);
});

test('the image runs as an account of no rights, by number, and tells whether it is well', () => {
  const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const last = image.slice(image.lastIndexOf('\nFROM '));
  expect(last).toMatch(/^USER 1000:1000$/m);
  expect(last).toMatch(/^HEALTHCHECK .* CMD \["account-sync", "health"\]$/m);
  expect(last).not.toMatch(/^(?:ENV|ARG) \S*(?:KEY|TOKEN|PASSWORD|SECRET)/m);
});

test('image and unit give Node the same flags and memory settings as the program takes by itself', () => {
  const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const [, ...entry] = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(image)?.[1] ?? '[]') as string[];
  const flags = entry.filter((word) => word.startsWith('--'));
  expect(flags.length).toBeGreaterThan(0);
  expect(read('account-sync.service')).toContain(`node ${flags.join(' ')} /`);
  const malloc = Array.from(image.matchAll(/^ENV (MALLOC_\w+=\S+)$/gm), ([, setting = '']) => setting);
  expect(malloc.length).toBeGreaterThan(0);
  expect(read('account-sync.service')).toContain(`\nEnvironment=${malloc.join(' ')}\n`);
  const program = readFileSync(join(ROOT, 'bin/account-sync.js'), 'utf8');
  expect(program).toContain(`FLAGS = [${flags.map((flag) => `'${flag}'`).join(', ')}];`);
  expect(program).toContain(
    `ENVIRONMENT = { ${malloc.map((setting) => setting.replace(/=(.*)/, ": '$1'")).join(', ')} };`,
  );
});
