/** From plans to outcomes. Pure. */
import { isFarAhead } from '../model/clock-guard.ts';
import { latestStamp, type WireRecord } from '../model/record.ts';
import type { Uid } from '../model/uid.ts';
import type { Changes } from '../model/guard.ts';
import type { UserPlan } from './decide.ts';
import { changesOfPlan } from './guard.ts';
import type { Incoming } from './incoming.ts';
import { maskValues } from './mask-values.ts';
import type { Note, RecordSource, Outcome } from '../model/outcome.ts';
import type { ParkedRecord } from '../store/parked.ts';
import type { StoredPlan } from './store-users.ts';

/** Nothing was done, and there is nothing to say about it. */
export function unchangedOutcome(uid: Uid, email: string | null): Outcome {
  return { result: 'unchanged', operation: 'none', uid, userId: null, email, registers: [], notes: [] };
}

/**
 * Why a plan waits, if it does. Only an edit of the config lets through what is not accepted, so whatever else may pass before
 * that is named first.
 */
export function whyParked({ parked }: UserPlan): Note | undefined {
  return parked.find(({ code }) => code !== 'NOT_ACCEPTED') ?? parked[0];
}

/** A new account that the guard holds: nothing of it is here. */
export function heldOutcome({ incoming, parked }: UserPlan): Outcome {
  const [why] = parked;
  return {
    ...unchangedOutcome(incoming.uids[0] as Outcome['uid'], incoming.record.email),
    result: 'parked',
    notes: parked,
    ...(why === undefined ? {} : { code: why.code, message: why.message }),
  };
}

/** What a plan that was carried out came to. */
export function outcomeOf({ plan, userId, host, changed }: StoredPlan): Outcome {
  const why = whyParked(plan);
  const before = plan.user;
  const linked = before !== undefined && plan.uids.some((uid) => !before.uids.includes(uid));
  const isApplied = before === undefined || linked || changed.length > 0;
  return {
    result: why === undefined ? (isApplied ? 'applied' : 'unchanged') : 'parked',
    operation: before === undefined ? 'insert' : changed.length > 0 ? 'update' : linked ? 'link' : 'none',
    uid: plan.incoming.uids[0] as Outcome['uid'],
    userId,
    email: host.email,
    registers: [...plan.take.keys()],
    notes: [...plan.notes, ...plan.parked],
    guarded: changesOfPlan(plan),
    ...(why === undefined ? {} : { code: why.code, message: why.message }),
  };
}

/** What a plan would come to. */
export function dryOutcome(plan: UserPlan): Outcome {
  const why = whyParked(plan);
  return {
    result: why === undefined ? (plan.user === undefined || plan.take.size > 0 ? 'applied' : 'unchanged') : 'parked',
    operation: plan.user === undefined ? 'insert' : plan.take.size > 0 ? 'update' : 'none',
    uid: plan.incoming.uids[0] as Outcome['uid'],
    userId: plan.user?.userId ?? null,
    email: plan.incoming.record.email,
    registers: [...plan.take.keys()],
    notes: [...plan.notes, ...plan.parked],
    ...(why === undefined ? {} : { code: why.code, message: why.message }),
    guarded: changesOfPlan(plan),
    changes: Object.fromEntries(
      [...plan.take].map(([register, { values }]) => [
        register,
        { from: maskValues(plan.user?.host.registers.get(register)), to: maskValues(values) },
      ]),
    ),
  };
}

/** The record of an outcome that waits. */
export function toParked(
  from: RecordSource,
  incoming: Incoming,
  outcome: Outcome,
  userId: number | null,
  held: Changes = 0,
): ParkedRecord {
  return {
    peer: from.route.name,
    uid: outcome.uid,
    userId,
    code: outcome.code ?? 'VALUE_UNSTORABLE',
    message: outcome.message ?? '',
    record: incoming.record,
    held,
  };
}

/**
 * Records that could not be applied now, and that their sender will not send again by itself. Not those of a clock that is
 * far ahead: such a sender sends them itself once its clock is right, and a copy kept here would be applied long after.
 */
export function busyOf(
  peer: string,
  records: readonly WireRecord[],
  outcomes: readonly Outcome[],
  nowMs: number,
): ParkedRecord[] {
  return outcomes.flatMap((outcome, index) => {
    const record = records[index];
    if (outcome.result !== 'retry' || record === undefined || isFarAhead(latestStamp(record), nowMs)) return [];
    const { uid, userId, code = 'USER_BUSY', message = '' } = outcome;
    return [{ peer, uid, userId, code, message, record }];
  });
}
