/** `account-sync check`: everything at once, each line ok, warn or fail, with what to do. Changes nothing. */
import { fail, failed, findingLine, warn, type Finding } from '../admin/check/finding.ts';
import { checkPeers } from '../admin/check/peers.ts';
import { checkConfig, checkDatabase } from '../admin/check/site.ts';
import { exposedFiles } from '../config/exposed-files.ts';
import { isMountedAlone, MOUNTED_ALONE, MOUNT_THE_FOLDER } from '../config/mounted-alone.ts';
import { ConfigError } from '../config/problem.ts';
import { SyncError } from '../model/errors.ts';
import {
  isTlsUnverified,
  loadUnchecked,
  writeJson,
  type DataOptions,
  type ExitCode,
  type Terminal,
} from './context.ts';

/** 0 if everything is well or only warned about, else 3. A broken config is 2, also as JSON. */
export async function check(flags: DataOptions, terminal: Terminal): Promise<ExitCode> {
  const isJson = flags.json === true;
  const findings: Finding[] = [];
  const add = (more: readonly Finding[]): void => {
    findings.push(...more);
    if (!isJson) for (const finding of more) terminal.out(`${findingLine(finding)}\n`);
  };
  try {
    const loaded = await loadUnchecked(flags, terminal);
    const { config, file } = loaded;
    const isUnverified = isTlsUnverified(terminal);
    const peers = isUnverified ? [failed('certificates', new SyncError('TLS_UNVERIFIED'))] : checkPeers(config);
    add(checkConfig(config));
    add(exposedFiles(loaded).map((one) => warn('files', `${one.file} ${one.why}`, one.remedy)));
    if (isMountedAlone(file)) add([warn('config', `${file} ${MOUNTED_ALONE}`, MOUNT_THE_FOLDER)]);
    add(await checkDatabase(config));
    add(await peers);
  } catch (error) {
    if (isJson && error instanceof ConfigError) writeJson(terminal, documentOf(findingsOf(error)));
    throw error;
  }
  if (isJson) writeJson(terminal, documentOf(findings));
  return isWell(findings) ? 0 : 3;
}

function documentOf(findings: readonly Finding[]): { ok: boolean; findings: readonly Finding[] } {
  return { ok: isWell(findings), findings };
}

function isWell(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.result !== 'fail');
}

function findingsOf({ problems }: ConfigError): Finding[] {
  return problems.map(({ file, line, column, path, message }) =>
    fail(
      'config',
      `${path === '' ? '' : `${path}: `}${message}`,
      `Correct ${[file, line, column].filter(Boolean).join(':')}.`,
    ),
  );
}
