/** The part of `account-sync check` that has peers call us: whether their calls get to this site, and are let in. */
import type { Config, PeerConfig } from '../../config/config.ts';
import { expectCallBack, isDaemonRunning, takeCallBack } from '../../store/call-backs.ts';
import { isInstalled } from '../../db/migrate.ts';
import { openPool } from '../../db/pool.ts';
import type { Hello } from '../../model/record.ts';
import { makeActivityLog } from '../../store/activity-log.ts';
import { CALL_BACK, newNonce } from '../../peer/call-back.ts';
import type { SignatureMemory } from '../../peer/own-credentials.ts';
import { readTakenSignature } from '../../store/taken-signatures.ts';
import { systemClock } from '../../runtime/clock.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

/** A call back that is asked for. */
export interface Asked {
  /** Goes with the greeting. */
  readonly headers: Readonly<Record<string, string>>;
  /** What became of it, once the peer has answered that greeting. */
  judge(hello: Hello, peer: PeerConfig): Promise<Finding>;
}

/** Asks for calls back. */
export interface CallBackCheck {
  /** Which peers took our signature. Where that cannot be read, all may have. */
  readonly memory: SignatureMemory;
  /** Undefined: without our tables nothing can be proven; the rest of `check` says why they are not there. */
  ask(): Promise<Asked | undefined>;
  close(): Promise<void>;
}

/** What was seen of a call here. */
interface SeenCall {
  /** The peer whose key it had. */
  readonly from: string | undefined;
  /** It came with a key nobody has, or with a signature that was not accepted: why. */
  readonly refusedFor: string | undefined;
  /** A daemon of this site is running, or was some seconds ago. */
  readonly isRunning: boolean;
}

/** Opens a connection of its own on first use. */
export function openCallBackCheck({ database }: Config): CallBackCheck {
  const pool = openPool(database, { connectionLimit: 2 });
  const { db } = pool;
  const activity = makeActivityLog({ db, clock: systemClock });

  /** Asked for, and not looked at. */
  const open = new Set<string>();

  const look = async (nonce: string): Promise<SeenCall> => {
    open.delete(nonce);
    const from = await takeCallBack(db, nonce);
    const { logs } = await activity.query({ search: nonce, limit: 1 });
    const reason = logs[0]?.content['reason'];
    const why = typeof reason === 'string' ? reason : 'its key is not in its entry here';
    const refusedFor = logs.length === 0 ? undefined : why;
    return { from, refusedFor, isRunning: await isDaemonRunning(db) };
  };
  return {
    memory: {
      read: (peer) => readTakenSignature(db, peer).catch(() => 'unknown'),
      note: () => Promise.resolve(),
    },
    async ask() {
      const nonce = newNonce();
      try {
        if (!(await isInstalled(db))) return undefined;
        await expectCallBack(db, nonce, systemClock.nowMs());
        open.add(nonce);
      } catch {
        return undefined;
      }
      return {
        headers: { [CALL_BACK]: nonce },
        judge: async (hello, peer) => judgeCallBack(hello, peer, await look(nonce)),
      };
    },
    async close() {
      // Of a peer that did not answer.
      for (const nonce of open) await takeCallBack(db, nonce).catch(() => undefined);
      await pool.close();
    },
  };
}

function judgeCallBack({ called_back: called, version }: Hello, peer: PeerConfig, seen: SeenCall): Finding {
  const { name } = peer;
  const about = `peer ${name}`;
  if (called === undefined) {
    return warn(
      about,
      `whether its calls get here cannot be proven: account-sync ${version} does not call back`,
      `Install a later version there; until then see "account-sync logs --peer ${name}" for its calls.`,
    );
  }
  const { result, url, message, remedy = '' } = called;
  const putKey =
    peer.publicKeys.length > 0
      ? `Compare public_key of the entry for ${name} here with what "account-sync check" says there`
      : `Put the site.api_key of ${name} into api_key of its entry here`;
  const entry = `the entry for us in the config of ${name}`;
  if (seen.from === name && result === 'OK') return ok(about, `called us at ${url}, and was let in by this site`);
  if (seen.from === name) {
    return fail(about, `its calls get here, but our answers do not get back to it: ${message}`, remedy);
  }
  if (seen.from !== undefined) {
    return fail(about, `its calls get here with the key of ${seen.from}`, `${putKey}, and only there.`);
  }
  if (seen.refusedFor !== undefined) {
    return fail(about, `its calls get here, and are refused: ${seen.refusedFor}`, `${putKey}.`);
  }
  if (!seen.isRunning) {
    return warn(
      about,
      `whether its calls get here is not proven: no daemon of this site is running; it called ${url}: ${message}`,
      'Run "account-sync check" again when the daemon runs.',
    );
  }
  if (result === 'OK') {
    return fail(
      about,
      `its calls go to another daemon than this site's: it calls us at ${url}, where ${message}`,
      `Correct url in ${entry}; or stop the copy of this site that answers there, or that this is.`,
    );
  }
  return fail(
    about,
    `its calls do not get here: it calls us at ${url}: ${message}`,
    `For its way to us: ${remedy} Or correct url in ${entry}.`,
  );
}
