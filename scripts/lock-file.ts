/** What package-lock.json has to say of a package, so that nobody gets anything but what was looked at. */

/** An entry of package-lock.json: https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
export interface LockEntry {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** package-lock.json. */
export interface LockFile {
  readonly lockfileVersion?: number;
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** What of package.json has to agree with it. */
export interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

/** Where tarballs come from. An entry may also leave the address out: npm then asks the registry it is set to. */
const REGISTRY = 'https://registry.npmjs.org/';
/** 64 bytes in base64, and nothing beside them: of several sums npm would take any. */
const SHA512 = /^sha512-[\w+/]{86}==$/;
const EXACT = /^\d+\.\d+\.\d+$/;
const VERSION = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

/**
 * Everything that is wrong, a sentence each: versions that are not exact, packages that are not the registry's own
 * tarballs, or not under their own name, or without SHA-512, and programs that would run when something is installed
 * though nobody decided on them. `npmrc` is the project's .npmrc, empty if there is none.
 */
export function lockProblems(lock: LockFile, manifest: Manifest, npmrc: string): string[] {
  const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
  const asked = new Set(
    entries.flatMap(([, { dependencies, optionalDependencies }]) =>
      Object.entries({ ...dependencies, ...optionalDependencies }).map(([name, range]) => aliasOf(name, range)),
    ),
  );
  return [
    ...(lock.lockfileVersion === 3 ? [] : [`package-lock.json: of version ${lock.lockfileVersion}, not 3`]),
    ...(/registry\s*=/.test(npmrc) ? ['.npmrc: names a registry'] : []),
    ...Object.entries(manifest.devDependencies).flatMap(([name, range]) =>
      EXACT.test(range) ? [] : [`${name}: the version is not exact (${range})`],
    ),
    ...entries.flatMap(([path, entry]) => entryProblems(path, entry, asked, manifest.allowScripts ?? {})),
  ];
}

function entryProblems(
  path: string,
  entry: LockEntry,
  asked: ReadonlySet<string>,
  decided: Readonly<Record<string, boolean>>,
): string[] {
  const folder = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const { name = folder, version = '', resolved, integrity = '' } = entry;
  return [
    ...(/^(?:.+\/)?node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path) && entry.link !== true
      ? []
      : [`${path}: no package of the registry`]),
    ...(VERSION.test(version) ? [] : [`${path}: "${version}" is no version`]),
    ...(resolved === undefined || resolved === tarballOf(name, version)
      ? []
      : [`${path}: not the registry's own tarball (${resolved})`]),
    ...(SHA512.test(integrity) ? [] : [`${path}: no SHA-512 of what is to be installed`]),
    ...(name === folder || asked.has(aliasOf(folder, `npm:${name}@`))
      ? []
      : [`${path}: is ${name}, which nothing asks for under that name`]),
    ...(entry.hasInstallScript !== true || decided[name] !== undefined
      ? []
      : [`${path}: runs a program when it is installed, and allowScripts of package.json says nothing of it`]),
  ];
}

/** `https://registry.npmjs.org/@scope/name/-/name-1.2.3.tgz` */
function tarballOf(name: string, version: string): string {
  return `${REGISTRY}${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
}

/** `alias=npm:name`, whatever the version; the range as it is where it is no alias. */
function aliasOf(folder: string, range: string): string {
  const at = range.lastIndexOf('@');
  return `${folder}=${range.startsWith('npm:') && at > 'npm:'.length ? range.slice(0, at) : range}`;
}
