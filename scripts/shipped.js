/** Which packages users get: the build puts all that src/ imports into one bundle, so none is installed beside it. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {object} Shipped
 * @property {string} name
 * @property {string} version
 * @property {string} path folder of the package, from the root of the project
 * @property {string} [license] SPDX expression
 * @property {string} [resolved] address of the tarball
 * @property {string} [integrity]
 * @property {boolean} [hasInstallScript]
 */

/**
 * What src/ imports, and what that depends on in turn, as package-lock.json has it; sorted by path. Throws if src/ imports
 * what is not locked.
 *
 * @returns {Shipped[]}
 */
export function shippedPackages() {
  /** @type {{ packages: Record<string, Omit<Shipped, 'name' | 'path'> & { dependencies?: Record<string, string> }> }} */
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const found = new Map();
  const waiting = importedNames().map((name) => ({ from: '', name }));
  for (const { from, name } of waiting) {
    const path = resolve(from, name);
    if (path === undefined) throw new Error(`${name}, which ${from || 'src/'} imports, is not in package-lock.json`);
    if (found.has(path)) continue;
    const { version, license, resolved, integrity, hasInstallScript, dependencies } = packages[path] ?? {};
    found.set(path, { name, version: version ?? '', path, license, resolved, integrity, hasInstallScript });
    waiting.push(...Object.keys(dependencies ?? {}).map((next) => ({ from: path, name: next })));
  }
  return [...found.values()].toSorted((a, b) => a.path.localeCompare(b.path));

  /**
   * As Node looks: in the folder of who imports, then further up.
   *
   * @param {string} from
   * @param {string} name
   * @returns {string | undefined}
   */
  function resolve(from, name) {
    const path = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    return from === '' ? undefined : resolve(from.slice(0, Math.max(0, from.lastIndexOf('node_modules/') - 1)), name);
  }
}

/** @returns {string[]} names of packages that files of src/ import */
function importedNames() {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const names = files.flatMap((file) => {
    const text = readFileSync(join(ROOT, 'src', file), 'utf8');
    return Array.from(
      text.matchAll(/^(?:import|export|\}).* from '([^.'][^']*)';$/gm),
      ([, specifier = '']) => specifier,
    );
  });
  const packages = names
    .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  return [...new Set(packages)];
}
