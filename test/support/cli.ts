/** The command line as a person runs it: a process of its own, with a config file. It starts in a third of the time that the sources take. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { keyOf, tokenOf, type WorldSite } from './world.ts';

/** The program that `npm run build` makes. Only in tests. */
export function builtProgram(): string {
  return join(inject('builtProgram'), 'dist/account-sync.js');
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command under way. */
export interface Running {
  readonly pid: number;
  /** What it has printed so far. */
  out(): string;
  err(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Runs commands with one config file. */
export interface Cli {
  run(...args: string[]): Promise<Ended>;
  start(...args: string[]): Running;
  /** Writes the config file again. */
  configure(text: string): void;
  /** The folder of the config file, for others beside it. */
  readonly folder: string;
  /** Deletes the folder. */
  close(): void;
}

/**
 * `config` is the text of the file; the file's path comes as ACCOUNT_SYNC_CONFIG.
 *
 * @param main the program, with the flags that Node gets before it; what `npm run build` makes unless given
 * @param more variables of the environment
 */
export function makeCli(
  config: string,
  main: readonly string[] = [builtProgram()],
  more: Readonly<Record<string, string>> = {},
): Cli {
  const folder = mkdtempSync(join(tmpdir(), 'account-sync-cli-'));
  const file = join(folder, 'config.yaml');
  const configure = (text: string): void => writeFileSync(file, text);
  configure(config);
  const start = (...args: string[]): Running => {
    const env = { ...process.env, ACCOUNT_SYNC_CONFIG: file, LOG_LEVEL: '', ...more };
    const child = spawn(process.execPath, [...main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (err += part));
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code) => resolve({ code, out, err }));
    });
    return { pid: child.pid ?? 0, out: () => out, err: () => err, kill: (signal) => void child.kill(signal), ended };
  };
  return {
    start,
    run: (...args) => start(...args).ended,
    configure,
    folder,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What a config of a site may differ in. */
export interface ConfigChanges {
  readonly port?: number;
  /** Log in as somebody else. */
  readonly login?: { readonly user: string; readonly password: string };
  /** YAML lines at top level. */
  readonly extra?: string;
}

/** What the config of a site says of a peer. */
export type PeerSite = Pick<WorldSite, 'name' | 'url'>;

/** The config of a site of a world with the other sites as its peers; without `port` as the world has it. */
export function configOf(site: WorldSite, peers: readonly PeerSite[], changes: ConfigChanges = {}): string {
  const { db, name, config } = site;
  const { user, password } = changes.login ?? db;
  const entries = peers.map((peer) => `{ name: ${peer.name}, url: "${peer.url}", api_key: ${keyOf(peer.name)} }`);
  return `site: { name: ${name}, url: "https://${name}.example.com/", api_key: ${keyOf(name)} }
database: { host: ${db.host}, port: ${db.port}, user: ${user}, password: ${JSON.stringify(password)}, name: ${db.name} }
http: { host: 127.0.0.1, port: ${changes.port ?? config.http.port}, admin_token: ${tokenOf(name)} }
${changes.extra ?? ''}
peers: [${entries.join(', ')}]
`;
}
