/**
 * `npm run check:dependencies`: what package-lock.json says of every package that users get, and, where the service that
 * knows of vulnerabilities can be asked, what that says. A service that cannot be reached is no failure, for then nobody
 * could check anything away from a network; a vulnerability of level high or critical is.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  devDependencies: Record<string, string>;
};

const used = shippedPackages();
const problems = [
  ...Object.entries(devDependencies).flatMap(([name, range]) =>
    /^\d+\.\d+\.\d+$/.test(range) ? [] : [`${name}: the version is not exact (${range})`],
  ),
  ...used.flatMap(({ name, resolved, integrity, license, hasInstallScript }) =>
    [
      resolved === undefined || /^https:\/\/.*\.tgz$/.test(resolved) ? '' : `${name}: not from a registry`,
      integrity?.startsWith('sha512-') === true ? '' : `${name}: no SHA-512 of what is to be installed`,
      license !== undefined && LICENCES.has(license) ? '' : `${name}: licence ${license ?? 'unknown'}`,
      hasInstallScript === true ? `${name}: runs a program when it is installed` : '',
    ].filter(Boolean),
  ),
];

/** Names of packages with serious vulnerabilities, or undefined: the service could not be asked. */
function askService(): string[] | undefined {
  const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', timeout: PATIENCE_MS });
  try {
    const { vulnerabilities } = JSON.parse(stdout) as { vulnerabilities?: Record<string, { severity: string }> };
    if (vulnerabilities === undefined) return undefined;
    const serious = Object.entries(vulnerabilities).filter(([, { severity }]) => /^(?:high|critical)$/.test(severity));
    return serious.map(([name]) => name);
  } catch {
    return undefined;
  }
}

const found = askService();
const names = new Set(used.map(({ name }) => name));
for (const name of found ?? []) {
  if (names.has(name)) problems.push(`${name}: a vulnerability of level high or critical, see "npm audit"`);
}
for (const problem of problems) console.error(problem);
const asked =
  found === undefined ? 'the service for vulnerabilities could not be asked' : 'no serious vulnerability known';
console.log(`dependencies: ${used.length} packages, ${problems.length} problems, ${asked}`);
process.exit(problems.length === 0 ? 0 : 1);
