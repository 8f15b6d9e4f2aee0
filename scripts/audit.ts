/**
 * `npm run check:dependencies`: what package-lock.json says of every package that users get, and, where the service that
 * knows of vulnerabilities can be asked, what that says. A service that cannot be reached is no failure, for then nobody
 * could check anything away from a network; a vulnerability of level high or critical is.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

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

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> };
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };

const used = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
const problems = [
  ...Object.entries(dependencies).flatMap(([name, range]) =>
    /^\d+\.\d+\.\d+$/.test(range) ? [] : [`${name}: the version is not exact (${range})`],
  ),
  ...used.flatMap(([path, { resolved, integrity, license, hasInstallScript }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return [
      resolved === undefined || /^https:\/\/.*\.tgz$/.test(resolved) ? '' : `${name}: not from a registry`,
      integrity?.startsWith('sha512-') === true ? '' : `${name}: no SHA-512 of what is to be installed`,
      license !== undefined && LICENCES.has(license) ? '' : `${name}: licence ${license ?? 'unknown'}`,
      hasInstallScript === true ? `${name}: runs a program when it is installed` : '',
    ].filter(Boolean);
  }),
];

/** What the service says, or undefined: it could not be asked. */
function askService(): { high: number; critical: number } | undefined {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: PATIENCE_MS });
  try {
    const { metadata } = JSON.parse(stdout) as { metadata?: { vulnerabilities: { high: number; critical: number } } };
    return metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}

const found = askService();
if (found !== undefined && found.high + found.critical > 0) {
  problems.push(`${found.high + found.critical} vulnerabilities of level high or critical: see "npm audit --omit=dev"`);
}
for (const problem of problems) console.error(problem);
const asked =
  found === undefined ? 'the service for vulnerabilities could not be asked' : 'no serious vulnerability known';
console.log(`dependencies: ${used.length} packages, ${problems.length} problems, ${asked}`);
process.exit(problems.length === 0 ? 0 : 1);
