/** The real nginx and the real Caddy with the samples of deploy/, in front of a daemon. Only ports are others. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/free-port.js';
import { sampleProgram } from '../../scripts/sample-programs.js';
import { eventually } from './eventually.ts';

const DEPLOY = new URL('../../deploy/', import.meta.url).pathname;
const HOST = 'cars.example.com';
/** The samples name this machine as inside; of a loopback network it is one address of many. */
const ADDRESS = { inside: '127.0.0.1', outside: '127.0.0.2' } as const;

/** From where a call comes, as the proxy sees it. */
export type Where = keyof typeof ADDRESS;

/** What came back. */
export interface ProxyAnswer {
  readonly status: number;
  /** True if it is the daemon's: all its answers carry a trace. */
  readonly isOfDaemon: boolean;
  readonly body: string;
}

/** A proxy that runs. */
export interface SampleProxy {
  /** Calls it with exactly this path. */
  call(
    from: Where,
    method: string,
    path: string,
    more?: { readonly headers?: Record<string, string>; readonly body?: string },
  ): Promise<ProxyAnswer>;
  stop(): Promise<void>;
}

/** Starts it, and waits until it answers; a text says why it cannot be had on this machine. */
export async function startSampleProxy(name: 'nginx' | 'caddy', daemonPort: number): Promise<SampleProxy | string> {
  if (process.platform !== 'linux') return 'only Linux has 127.0.0.2, which stands for strangers here';
  const program = await sampleProgram(name);
  if ('reason' in program) return program.reason;
  const folder = mkdtempSync(join(tmpdir(), 'account-sync-proxy-'));
  const port = await freePort();
  const file = join(folder, 'config');
  const sample = readFileSync(join(DEPLOY, name === 'nginx' ? 'nginx.conf' : 'Caddyfile'), 'utf8');
  const ours = sample.replaceAll('127.0.0.1:8470', `127.0.0.1:${daemonPort}`);
  writeFileSync(file, name === 'nginx' ? aroundNginx(ours, folder, port) : aroundCaddy(ours, port));
  const args =
    name === 'nginx' ? ['-e', 'stderr', '-p', folder, '-c', file] : ['run', '--adapter', 'caddyfile', '--config', file];
  const [path, ...first] = program.command;
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(path, [...first, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
  const gone = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
  });
  const proxy: SampleProxy = {
    call: (from, method, target, more) => call(port, ADDRESS[from], method, target, more),
    async stop() {
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
        await proxy.call('inside', 'GET', '/');
      },
      { timeoutMs: 20_000 },
    );
    return proxy;
  } catch (error) {
    await proxy.stop();
    throw error;
  }
}

/** A site as Osclass needs it: what ends in .php goes to PHP. */
function aroundNginx(sample: string, folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `daemon off; master_process off; pid ${folder}/pid; events {}
http {
  access_log off; ${temporary.join(' ')}
  server {
    listen 127.0.0.1:${port}; server_name ${HOST};
    location / { return 200 "the site"; }
    location ~ \\.php$ { return 418; }
    ${sample}
  }
}
`;
}

function aroundCaddy(sample: string, port: number): string {
  const site = `http://${HOST}:${port} {`;
  return `{
	admin off
	auto_https off
	default_bind 127.0.0.1
}
${sample.replace(`${HOST} {`, site)}`;
}

async function call(
  port: number,
  localAddress: string,
  method: string,
  path: string,
  { headers = {}, body }: { readonly headers?: Record<string, string>; readonly body?: string } = {},
): Promise<ProxyAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        localAddress,
        method,
        path,
        headers: { host: `${HOST}:${port}`, ...headers },
        agent: false,
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('error', reject).on('end', () => {
          resolve({ status: answer.statusCode ?? 0, isOfDaemon: 'x-trace-id' in answer.headers, body: text });
        });
      },
    );
    asked.on('error', reject).end(body);
  });
}
