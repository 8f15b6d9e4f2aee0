/** Every command and sample file of README and docs/operating.md is run by a test, or it is said here why it cannot be. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from './sources.ts';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/commands.md',
  'docs/config.md',
  'docs/operating.md',
  'docs/plugin-peers.md',
  'docs/rules.md',
  'docs/what-happens-if.md',
];
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Where a command is run, and what stands there of it; several places where one runs a part; or why nothing here can run it. */
type Proof = { readonly in: string; readonly words: readonly string[] } | { readonly cannot: string };

const by = (file: string, ...words: readonly string[]): Proof => ({ in: file, words });
const cannot = (why: string): Proof => ({ cannot: why });
/** A step of .ci/run, which is run before every change is taken. */
const step = (command: string): Proof => by('.ci/run', command);
const NO_DOCKER =
  'a Docker engine is not to be had where the tests have to run: the file is read by docker-compose, the ENTRYPOINT is run by build.test.ts';
const NO_SYSTEMD = 'systemd as the first process is not to be had where the tests have to run: the unit is checked';

const COMMANDS: Readonly<Record<string, readonly Proof[]>> = {
  'account-sync run': [by('test/flow/cli-run.test.ts', "start('run'")],
  'account-sync init --osclass DIR': [by('test/flow/cli-init.test.ts', "run('init', '--osclass'")],
  'account-sync init [--osclass DIR] [--name NAME] [--container] [--line N] [--force]': [
    by('test/flow/cli-init.test.ts', "'--osclass'", "'--name'", "'--container'", "'--line'", "'--force'"),
  ],
  'account-sync check': [by('test/flow/cli.test.ts', "run('check'")],
  'account-sync check [--json]': [by('test/flow/cli.test.ts', "run('check', '--json'")],
  'account-sync install': [by('test/flow/cli.test.ts', "run('install')")],
  'account-sync install --dry-run': [
    by('test/flow/cli.test.ts', "run('install', '--dry-run')"),
    by('test/db/dumps.test.ts', "run('install', '--dry-run')"),
  ],
  'account-sync install [--dry-run]': [by('test/flow/cli.test.ts', "run('install', '--dry-run')")],
  'account-sync uninstall [--force]': [by('test/flow/cli-run.test.ts', "run('uninstall', '--force')")],
  'account-sync uninstall': [by('test/flow/cli.test.ts', "run('uninstall'")],
  'account-sync feed homes': [by('test/flow/cli.test.ts', "run('feed', 'homes')")],
  'account-sync feed PEER --dry-run': [by('test/flow/waiting-unproven.test.ts', "run('feed', 'cars', '--dry-run')")],
  'account-sync feed PEER --restart': [by('test/flow/cli-feed.test.ts', "run('feed', 'homes', '--restart')")],
  'account-sync feed PEER [--dry-run] [--restart] [--once] [--overwrite] [--json]': [
    by('test/flow/cli-feed.test.ts', "'--dry-run'", "'--restart'", "'--once'", "'--overwrite'", "'--json'"),
  ],
  'account-sync stream': [by('test/flow/cli.test.ts', "run('stream'")],
  'account-sync stream [PEER] [--json]': [by('test/flow/cli-feed.test.ts', "run('stream', 'homes', '--json')")],
  'account-sync status': [by('test/flow/cli.test.ts', "run('status')")],
  'account-sync status [--json] [--watch]': [
    by('test/flow/cli.test.ts', "run('status', '--json')"),
    by('test/flow/cli-explain.test.ts', "start('status', '--watch', '--json')"),
  ],
  'account-sync logs': [by('test/flow/cli-run.test.ts', "run('logs', '--limit'")],
  'account-sync logs --search CODE': [by('test/flow/cli-run.test.ts', "run('logs', '--search'")],
  'account-sync logs --search USER_REMOVED': [
    by('test/flow/restored-accounts.test.ts', "run('logs', '--search', 'USER_REMOVED')"),
  ],
  'account-sync logs [--type T] [--peer P] [--status S] [--search TEXT] [--trace ID] [--limit N] [--follow] [--json]': [
    by('test/flow/cli-run.test.ts', "'--type'", "'--status'", "'--search'", "'--limit'", "'--follow'", "'--json'"),
    by('test/flow/cli.test.ts', "'--peer'"),
    by('test/flow/log-trace.test.ts', "run('logs', '--trace'"),
  ],
  'account-sync parked': [by('test/flow/cli-feed.test.ts', "run('parked')")],
  'account-sync parked drop ID': [by('test/flow/cli-feed.test.ts', "run('parked', 'drop'")],
  'account-sync parked [retry|drop ID] [--json]': [
    by(
      'test/flow/cli-feed.test.ts',
      "run('parked')",
      "run('parked', '--json')",
      "run('parked', 'retry'",
      "run('parked', 'drop'",
    ),
  ],
  'account-sync explain EMAIL': [by('test/flow/restored-accounts.test.ts', "run('explain', 'bob@example.com')")],
  'account-sync explain EMAIL|ID [--json]': [
    by('test/flow/cli-explain.test.ts', "run('explain', 'ana@example.com')", "run('explain', '4711')", "'--json'"),
  ],
  'account-sync approve PEER': [by('test/flow/cli-feed.test.ts', "run('approve', 'homes'")],
  'account-sync approve PEER [--class C] [--dry-run] [--json]': [
    by('test/flow/cli-feed.test.ts', "run('approve', 'homes', '--json')"),
  ],
  'account-sync link EMAIL PEER': [by('test/flow/link.test.ts', "run('link', email, 'cars')")],
  'account-sync link EMAIL PEER [--dry-run] [--json]': [
    by('test/flow/link.test.ts', "run('link', email, 'cars', '--dry-run', '--json')"),
  ],
  'account-sync unlink EMAIL PEER': [by('test/flow/link.test.ts', "run('unlink', email, 'cars')")],
  'account-sync unlink EMAIL PEER [--dry-run] [--json]': [
    by('test/flow/link.test.ts', "run('unlink', email, 'cars', '--dry-run', '--json')"),
  ],
  'account-sync health': [by('test/flow/cli.test.ts', "run('health')")],
  'account-sync resume': [by('test/flow/identity.test.ts', "run('resume')")],
  'account-sync resume --moved': [by('test/flow/identity.test.ts', "run('resume', '--moved')")],
  'account-sync resume --restored': [by('test/flow/identity.test.ts', "run('resume', '--restored')")],
  'account-sync resume --clone': [by('test/flow/identity.test.ts', "run('resume', '--clone')")],
  'account-sync resume --moved | --restored | --clone [--json]': [
    by('test/flow/identity.test.ts', "'--moved'", "'--restored'", "'--clone', '--json'"),
  ],
  'account-sync key [--pair] [--json]': [
    by('test/flow/cli.test.ts', "run('key'"),
    by('test/flow/cli.test.ts', "run('key', '--pair'"),
  ],
  'account-sync key --pair': [by('test/flow/cli.test.ts', "run('key', '--pair'")],
  'dist/account-sync.js': [
    by('test/flow/build.test.ts', '...imageFlags()', 'builtProgram()', "start('run')"),
    by('test/support/cli.ts', "inject('builtProgram')", 'dist/account-sync.js'),
    by('Dockerfile', 'dist/account-sync.js'),
  ],
  'kill -9': [by('test/flow/kills.test.ts', 'SIGKILL')],

  'git clone URL-OF-THIS-REPOSITORY osclass-account-sync && cd osclass-account-sync': [
    cannot('where the repository is kept is not known; .ci/run is made to run in a fresh clone'),
  ],
  'git pull && npm ci': [cannot('there is no newer version to pull; `npm ci` is what scripts/install.js runs')],
  'npm ci': [by('scripts/install.js', "'ci'"), by('test/scripts/lock-file.test.ts', 'npm ci')],
  'npm ci && npm run build': [by('scripts/install.js', "'ci'"), step('npm run build')],
  'npm test': [step('npm test')],
  'npm run account-sync -- ARGS': [step('npm run account-sync -- key')],
  'npm run demo': [step('npm run demo')],
  'npm run demo -- --exit': [step('npm run demo -- --exit')],
  'npm run check': [step('npm run check')],
  'npm run check:dependencies -- --strict': [by('test/scripts/audit.test.ts', "'--strict'")],
  'npm run render:config': [step('npm run render:config')],
  'npm run render:docs': [step('npm run render:docs')],
  'npm test -- test/db/lease.test.ts': [step('npm test')],
  'npm install --package-lock-only': [cannot('a step of a release: it writes the version into package-lock.json')],
  'npm install -g': [by('test/flow/packed.test.ts', "'--global'")],
  'npm run release -- --out release': [step('npm run release')],
  'npm run bench': [step('npm run bench')],
  'npm run bench -- --smoke': [step('npm run bench -- --smoke')],
  'npm run test:mysql': [step('npm run test:mysql')],
  'npm run test:faults -- --seed 7': [step('npm run test:faults'), by('test/faults/main.ts', 'seed')],
  'npm run test:clusters -- --seed 7': [step('npm run test:clusters'), by('test/clusters/main.ts', 'seed')],
  'npm run test:histories -- --runs 10000 --seed 1': [
    step('npm run test:histories -- --runs'),
    by('test/histories/main.ts', 'seed'),
  ],
  'npm run test:plugin-histories -- --runs 500 --seed 1': [
    step('npm run test:plugin-histories -- --runs'),
    by('test/histories/plugin-main.ts', 'seed'),
  ],
  'npm run test:kills -- --kills 200 --seed 7': [
    step('npm run test:kills -- --kills'),
    by('test/endurance/kills-main.ts', 'seed'),
  ],
  'npm run test:soak -- --minutes 30 --seed 7': [
    step('npm run test:soak -- --minutes'),
    by('test/endurance/soak-main.ts', 'seed'),
  ],
  '.ci/run': [cannot('it runs all tests, this one too')],

  'docker build -t account-sync .': [cannot(NO_DOCKER)],
  'docker run -d --name account-sync --restart unless-stopped -v "$PWD/config:/config:ro" -e CARS_API_KEY -e HOMES_API_KEY -e DB_PASSWORD -p 127.0.0.1:8470:8470 --memory 512m --log-opt max-size=10m --log-opt max-file=5 account-sync':
    [cannot(NO_DOCKER)],
  'docker exec account-sync account-sync status': [cannot(NO_DOCKER)],
  'docker compose -f deploy/compose.yaml exec cars-sync account-sync feed homes': [cannot(NO_DOCKER)],
  'docker compose -f deploy/compose.yaml build --pull': [cannot(NO_DOCKER)],
  'docker compose -f deploy/compose.yaml up -d': [cannot(NO_DOCKER)],
  'chown 1000': [cannot('only in the container is user 1000 the one of the daemon')],
  'sudo -u account-sync ACCOUNT_SYNC_CONFIG=/etc/account-sync/config.yaml CREDENTIALS_DIRECTORY=/run/credentials/account-sync.service /opt/account-sync/node_modules/.bin/node /opt/account-sync/dist/account-sync.js status':
    [cannot('tests make no accounts on the machine; the program that the build makes is run by build.test.ts')],
  'systemctl restart account-sync': [cannot(NO_SYSTEMD)],
  'sed -i': [by('test/flow/cli-run.test.ts', 'renameSync(', "'--mount'")],

  'mysqldump --single-transaction --skip-triggers --hex-blob osclass > osclass.sql': [
    by('test/support/dump.ts', "'--single-transaction', '--skip-triggers', '--hex-blob'"),
    by('test/flow/operating-page.test.ts', 'dumpOf('),
  ],
  'mysqldump --single-transaction --skip-triggers --hex-blob NAME > site.sql': [
    by('test/support/dump.ts', "'--single-transaction', '--skip-triggers', '--hex-blob'"),
    by('test/flow/operating-page.test.ts', 'dumpOf('),
  ],
  'mariadb-dump': [by('scripts/dump-programs.js', 'mariadb-dump'), by('test/db/dumps.test.ts', 'dumpPrograms(')],
  mysql: [by('test/flow/operating-page.test.ts', 'restoreInto(')],
  'mysql osclass < osclass.sql': [by('test/flow/operating-page.test.ts', 'restoreInto(')],
  'mysql NAME < site.sql': [by('test/flow/operating-page.test.ts', 'restoreInto(')],
  "sed -E 's/DEFINER=`[^`]+`@`[^`]+`//' dump.sql > dump-without-definers.sql": [
    by('test/db/dumps.test.ts', "execFileSync('sed', ['-E'"),
  ],
};

const SAMPLES: Readonly<Record<string, readonly Proof[]>> = {
  'deploy/.env.example': [by('test/scripts/deploy-samples.test.ts', "read('.env.example')", "'--env-file'")],
  'deploy/Caddyfile': [by('test/flow/deploy-proxies.test.ts', "'caddy'", 'startSampleProxy(')],
  'deploy/account-sync.service': [by('test/scripts/deploy-samples.test.ts', 'systemd-analyze')],
  'deploy/alerts.yaml': [by('test/scripts/deploy-samples.test.ts', "'promtool'", 'alerts.yaml')],
  'deploy/cars/config.yaml': [by('test/rules/deploy.test.ts', 'parseConfig(read(`${name}/config.yaml`)')],
  'deploy/compose.yaml': [by('test/scripts/deploy-samples.test.ts', "'docker-compose'", 'compose.yaml')],
  'deploy/grafana-dashboard.json': [
    by('test/rules/deploy.test.ts', "read('grafana-dashboard.json')"),
    cannot('Grafana is in no package list that tests may use: its expressions are held to the metrics that exist'),
  ],
  'deploy/homes/config.yaml': [by('test/rules/deploy.test.ts', 'parseConfig(read(`${name}/config.yaml`)')],
  'deploy/nginx.conf': [by('test/flow/deploy-proxies.test.ts', "'nginx'", 'startSampleProxy(')],
  'deploy/prometheus.yaml': [by('test/scripts/deploy-samples.test.ts', "'promtool'", 'prometheus.yaml')],
  'config.example.yaml': [by('test/unit/config-render.test.ts', 'config.example.yaml')],
};

const PROGRAM =
  /^(?:account-sync|dist\/account-sync\.js|\.ci\/run|kill|chown|git|npm|docker|sudo|systemctl|sed|curl|mysql|mysqldump|mariadb|mariadb-dump)(?=\s|$)/;
/** A line of the drawing of a change's way, of a config, of SQL: no command. */
const withoutTail = (line: string): string =>
  line
    .replace(/\s+# .*$/, '')
    .replace(/\s{2,}.*$/, '')
    .trim();

/** The commands of a page: in indented blocks, and between backquotes. */
function commandsIn(text: string): string[] {
  const joined = text.replaceAll(/ \\\n\s+/g, ' ');
  const lines = joined.split('\n');
  const inBlocks = lines.filter((line) => /^ {4}/.test(line)).map((line) => withoutTail(line.trim()));
  const prose = lines.filter((line) => !/^ {4}/.test(line)).join('\n');
  const inline = Array.from(prose.matchAll(/`([^`]+)`/g), ([, code = '']) => code.replaceAll(/\s+/g, ' '));
  return [...inBlocks, ...inline].filter((command) => PROGRAM.test(command));
}

/** The sample files that a page links to, from the root. */
function samplesIn(page: string, text: string): string[] {
  const links = Array.from(text.matchAll(/\]\(([^)\s#]+)\)/g), ([, link = '']) =>
    page.startsWith('docs/') ? join('docs', link) : link,
  );
  return links.filter((link) => /^deploy\/.|^config\.example\.yaml$/.test(link));
}

const unique = (all: readonly string[]): string[] => [...new Set(all)].toSorted();

test('the commands of the pages are those of the table, no more and no fewer', () => {
  const named = unique(PAGES.flatMap((page) => commandsIn(read(page))));
  expect(named.length).toBeGreaterThan(50);
  expect(named).toEqual(Object.keys(COMMANDS).toSorted());
});

test('the sample files of the pages are those of the table, and all that lie in deploy/', () => {
  expect(unique(PAGES.flatMap((page) => samplesIn(page, read(page))))).toEqual(Object.keys(SAMPLES).toSorted());
  const there = readdirSync(join(ROOT, 'deploy'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));
  expect(there.filter((path) => !Object.hasOwn(SAMPLES, path))).toEqual([]);
});

describe.each(Object.entries({ ...COMMANDS, ...SAMPLES }))('%s', (_name, proofs) => {
  test('is run by the files that the table names, or it is said why not', () => {
    expect(proofs.length).toBeGreaterThan(0);
    const missing = proofs.flatMap((proof) => {
      if ('cannot' in proof) return proof.cannot.length > 20 ? [] : ['a reason'];
      const text = read(proof.in);
      const words = proof.words.length === 0 ? ['any words'] : proof.words.filter((word) => !text.includes(word));
      return words.map((word) => `${proof.in}: ${word}`);
    });
    expect(missing).toEqual([]);
  });
});
