/** A server in a container, where a Docker engine answers. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { isAlive } from '../run.js';
import { untilReady } from './ready.js';
import { settingsOf } from './settings.js';

const ENGINE_TIMEOUT_MS = 10_000;
const PULL_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 90_000;

/** On each container of ours: the process that wanted it, and on which machine. */
const LABEL = 'osclass-account-sync.owner';

/** @typedef {import('testcontainers').ContainerRuntimeClient} Docker */

/**
 * @typedef {object} Wanted
 * @property {import('./settings.js').ServerKind} kind
 * @property {string} image an official image, or one that takes the same settings
 * @property {string} program what runs in it
 * @property {'MARIADB' | 'MYSQL'} variables how the names of its settings begin
 */

/**
 * @param {import('./find.js').Surroundings} around
 * @param {Wanted} wanted
 * @returns {ReturnType<import('./find.js').Way>}
 */
export async function dockerServer({ durable, say, later }, { kind, image, program, variables }) {
  const docker = await engine();
  if (docker === undefined) return {};
  try {
    await sweepContainers(docker);
    await haveImage(docker, image, say);
    const owner = `${process.pid}@${hostname()}`;
    later({ kind: 'containers', label: `${LABEL}=${owner}` });
    const password = randomBytes(12).toString('hex');
    const { GenericContainer } = await import('testcontainers');
    const container = await new GenericContainer(image)
      .withEnvironment({ [`${variables}_ROOT_PASSWORD`]: password, [`${variables}_ROOT_HOST`]: '%' })
      .withCommand(settingsOf(kind, durable))
      .withExposedPorts(3306)
      .withLabels({ [LABEL]: owner })
      .withStartupTimeout(START_TIMEOUT_MS)
      .start();
    const host = container.getHost() === 'localhost' ? '127.0.0.1' : container.getHost();
    const url = `mysql://root:${password}@${host}:${container.getMappedPort(3306)}/`;
    const version = await untilReady(url, { timeoutMs: START_TIMEOUT_MS });
    return { server: { url, description: `${program} ${version.split(' ')[1]} in a Docker container of ${image}` } };
  } catch (error) {
    return { reason: `Docker answers, but gives no ${image}: ${firstLine(error)}` };
  }
}

/**
 * Removes containers and their data.
 *
 * @param {string} label `name=value`
 */
export async function removeContainers(label) {
  const docker = await engine();
  if (docker === undefined) throw new Error('the Docker engine no longer answers');
  for (const { Id } of await containersWith(docker, label)) await remove(docker, Id);
}

/** @returns {Promise<Docker | undefined>} undefined: none answers */
async function engine() {
  // Its helper that removes containers is one more image to fetch; the guard and the sweep do the same.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  try {
    const { getContainerRuntimeClient } = await import('testcontainers');
    return await within(ENGINE_TIMEOUT_MS, getContainerRuntimeClient());
  } catch {
    return undefined;
  }
}

/**
 * @param {Docker} docker
 * @param {string} image
 * @param {(line: string) => void} say
 */
async function haveImage(docker, image, say) {
  const { ImageName } = await import('testcontainers');
  const name = ImageName.fromString(image);
  if (await docker.image.exists(name)) return;
  say(`fetching the image ${image} …`);
  await within(PULL_TIMEOUT_MS, docker.image.pull(name));
  // A pull that fails half way ends like one that succeeds.
  if (!(await docker.image.exists(name))) throw new Error('the image could not be fetched');
}

/**
 * Removes containers whose owners on this machine are gone.
 *
 * @param {Docker} docker
 */
async function sweepContainers(docker) {
  for (const { Id, Labels } of await containersWith(docker, LABEL)) {
    const [pid, machine] = (Labels[LABEL] ?? '').split('@');
    if (machine === hostname() && !isAlive(Number(pid))) await remove(docker, Id);
  }
}

/**
 * @param {Docker} docker
 * @param {string} label
 */
const containersWith = async (docker, label) =>
  docker.container.dockerode.listContainers({ all: true, filters: { label: [label] } });

/**
 * @param {Docker} docker
 * @param {string} id
 */
async function remove(docker, id) {
  await docker.container.dockerode.getContainer(id).remove({ force: true, v: true });
}

/**
 * @template T
 * @param {number} timeoutMs
 * @param {Promise<T>} work is not stopped, only no longer waited for
 * @returns {Promise<T>}
 */
async function within(timeoutMs, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    return await Promise.race([work, /** @type {Promise<never>} */ (late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {unknown} error */
const firstLine = (error) => /** @type {Error} */ (error).message.trim().split('\n')[0]?.trim();
