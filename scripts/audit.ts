/**
 * `npm run check:dependencies [-- --strict]`: what package-lock.json says of every package, more of those that users get,
 * and, where the service that knows of vulnerabilities can be asked, what that says. A vulnerability of level high or
 * critical is a failure. A service that cannot be reached is one with `--strict` only, for else nobody could check
 * anything away from a network.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { lockProblems, type LockFile, type Manifest } from './lock-file.ts';
import { shippedPackages } from './shipped.js';

/** Licences under which a program may be passed on with its own terms. */
const LICENCES = new Set([
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
]);
/** The service is asked no longer than this. */
const PATIENCE_MS = 20_000;

const { strict } = parseArgs({ options: { strict: { type: 'boolean', default: false } } }).values;
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const npmrc = existsSync('.npmrc') ? readFileSync('.npmrc', 'utf8') : '';

const used = shippedPackages();
const problems = [
  ...lockProblems(read('package-lock.json') as LockFile, read('package.json') as Manifest, npmrc),
  ...used.flatMap(({ path, license, hasInstallScript }) =>
    [
      license !== undefined && LICENCES.has(license) ? '' : `${path}: licence ${license ?? 'unknown'}`,
      hasInstallScript === true ? `${path}: users get it, and it runs a program when it is installed` : '',
    ].filter(Boolean),
  ),
];

/** Paths of packages with serious vulnerabilities, or undefined: the service could not be asked. */
function askService(): string[] | undefined {
  const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', timeout: PATIENCE_MS });
  try {
    const { vulnerabilities } = JSON.parse(stdout) as {
      vulnerabilities?: Record<string, { severity: string; nodes: string[] }>;
    };
    if (vulnerabilities === undefined) return undefined;
    const serious = Object.values(vulnerabilities).filter(({ severity }) => /^(?:high|critical)$/.test(severity));
    return serious.flatMap(({ nodes }) => nodes);
  } catch {
    return undefined;
  }
}

const found = askService();
const paths = new Set(used.map(({ path }) => path));
for (const path of found ?? []) {
  if (paths.has(path)) problems.push(`${path}: a vulnerability of level high or critical, see "npm audit"`);
}
if (found === undefined && strict) problems.push('the service for vulnerabilities could not be asked, and --strict');
for (const problem of problems) console.error(problem);
const asked =
  found === undefined ? 'the service for vulnerabilities could not be asked' : 'no serious vulnerability known';
console.log(`dependencies: ${used.length} packages that users get, ${problems.length} problems, ${asked}`);
process.exit(problems.length === 0 ? 0 : 1);
