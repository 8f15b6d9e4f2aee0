/**
 * `npm run release -- [--out FOLDER] [--without-image]`: what a release consists of, in a folder: the tarball for
 * `npm install -g`, the list of what is inside (SBOM, CycloneDX), checksums, and the image. Nothing is published.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commitHere } from './commit.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { out: { type: 'string', default: 'release' }, 'without-image': { type: 'boolean', default: false } },
});
const out = resolve(values.out);
const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const commit = commitHere();
if (!readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8').includes(`## [${version}]`)) {
  fail(`CHANGELOG.md has no section for ${version}.`);
}
const engine = values['without-image'] ? undefined : findEngine();
mkdirSync(out, { recursive: true });
const files = [`${name}-${version}.tgz`, 'sbom.cdx.json'];
run('npm', ['pack', '--silent', '--pack-destination', out]);
run(process.execPath, ['scripts/sbom.js', join(out, 'sbom.cdx.json')]);
if (engine !== undefined) {
  const image = `${name}-${version}.image.tar`;
  run(engine, ['build', '-t', `account-sync:${version}`, '.']);
  run(engine, ['save', '-o', join(out, image), `account-sync:${version}`]);
  files.push(image);
}
const sums = files.map(
  (file) =>
    `${createHash('sha256')
      .update(readFileSync(join(out, file)))
      .digest('hex')}  ${file}`,
);
writeFileSync(join(out, 'SHA256SUMS'), `${sums.join('\n')}\n`);
console.log(`${name} ${version}, commit ${commit}, in ${out}:\n${files.map((file) => `  ${file}`).join('\n')}`);

/** @returns {string} the program that builds images */
function findEngine() {
  const found = ['docker', 'podman'].find((one) => spawnSync(one, ['info'], { stdio: 'ignore' }).status === 0);
  return found ?? fail('There is no engine (docker, podman) to build the image with; or say --without-image.');
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {string} what it printed
 */
function run(command, args) {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) fail(`${command} ${args[0]} failed${error === undefined ? '' : `: ${error.message}`}`);
  return stdout;
}

/**
 * @param {string} why
 * @returns {never}
 */
function fail(why) {
  console.error(why);
  process.exit(1);
}
