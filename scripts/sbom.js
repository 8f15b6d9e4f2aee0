/**
 * `node scripts/sbom.js FILE`: what is inside the program (SBOM, CycloneDX), as npm lists it. All of it is in the bundle,
 * which for npm makes it a dependency of development; `npm sbom --omit dev` lists none of it. So the list is npm's, of
 * everything, without what only builds and tests the program.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shippedPackages } from './shipped.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ASK = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
/** What npm says of a package that is not among `dependencies`. */
const OF_DEVELOPMENT = 'cdx:npm:package:development';

/**
 * @typedef {object} Component
 * @property {string} bom-ref
 * @property {{ name: string, value: string }[]} [properties]
 */

const [file] = process.argv.slice(2);
if (file === undefined) fail('usage: node scripts/sbom.js FILE');
writeFileSync(file, `${JSON.stringify(shippedOnly(askNpm()), null, 2)}\n`);

/** @returns {any} what npm says of all packages */
function askNpm() {
  const { status, stdout, error } = spawnSync('npm', ASK, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) fail(`npm sbom failed${error === undefined ? '' : `: ${error.message}`}`);
  return JSON.parse(stdout);
}

/** @param {any} all */
function shippedOnly(all) {
  const shipped = new Set(shippedPackages().map(({ name, version }) => `${name}@${version}`));
  /** @type {Component[]} */
  const every = all.components;
  const components = every
    .filter((one) => shipped.has(one['bom-ref']))
    .map(({ properties = [], ...one }) => ({
      ...one,
      scope: 'required',
      properties: properties.filter(({ name }) => name !== OF_DEVELOPMENT),
    }));
  if (components.length !== shipped.size) fail(`The list has ${components.length} packages of ${shipped.size}.`);
  const self = all.metadata.component;
  const refs = new Set([...shipped, self['bom-ref']]);
  const dependencies = all.dependencies
    .filter((/** @type {{ ref: string }} */ { ref }) => refs.has(ref))
    .map((/** @type {{ ref: string, dependsOn: string[] }} */ one) => ({
      ...one,
      dependsOn: one.dependsOn.filter((ref) => shipped.has(ref)),
    }));
  // npm names it after the folder.
  const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return { ...all, metadata: { ...all.metadata, component: { ...self, name } }, components, dependencies };
}

/**
 * @param {string} why
 * @returns {never}
 */
function fail(why) {
  console.error(why);
  process.exit(1);
}
