/**
 * Our own tables, as statements name them: `SELECT user_id FROM ${own.user}`. A pool belongs to one site, and writes its prefix
 * in front: `oc_account_sync_user`.
 */
import { IdentifierNode, MysqlDialect, MysqlQueryCompiler, type MysqlDialectConfig, type OperationNode } from 'kysely';
import { SyncError } from '../model/errors.ts';
import { LONGEST_PREFIX, PREFIX_PATTERN } from '../model/table-prefix.ts';
import type { Ident } from './catalog.ts';

/** A table of ours in a statement; the name of it is known where the statement runs. */
export interface OwnTable {
  /** What comes behind `PREFIXaccount_sync_`. */
  readonly purpose: string;
  toOperationNode(): OperationNode;
  readonly expressionType: undefined;
}

/** How a name is written: quoted as an identifier, or as text to compare with. Nodes are only made here. */
const nodes = new WeakMap<OperationNode, { readonly purpose: string; readonly as: 'table' | 'text' }>();

function table(purpose: string, as: 'table' | 'text' = 'table'): OwnTable {
  const node = IdentifierNode.create(`account_sync_${purpose}`);
  nodes.set(node, { purpose, as });
  return { purpose, toOperationNode: () => node, expressionType: undefined };
}

/** All tables of ours; sql/ makes them, and docs/design.md says what is in them. */
export const own = {
  queue: table('queue'),
  user: table('user'),
  uid: table('uid'),
  tombstone: table('tombstone'),
  outbox: table('outbox'),
  peer: table('peer'),
  log: table('log'),
  parked: table('parked'),
  lease: table('lease'),
  migration: table('migration'),
  leftover: table('leftover'),
  guard: table('guard'),
  hidden: table('hidden'),
  seen: table('seen'),
  state: table('state'),
  unknownPlace: table('unknown_place'),
  vanished: table('vanished'),
  probe: table('probe'),
  identity: table('identity'),
  nonce: table('nonce'),
} as const;

/** The name as text: `WHERE TABLE_NAME = ${nameOf(own.log)}`. */
export function nameOf({ purpose }: OwnTable): OwnTable {
  return table(purpose, 'text');
}

/**
 * A name of ours: `PREFIXaccount_sync_PURPOSE`, for tables and triggers. Throws `CONFIG_INVALID` for a prefix that is no
 * prefix, or too long.
 */
export function ownName(prefix: string, purpose: string): Ident {
  if (!new RegExp(PREFIX_PATTERN).test(prefix)) {
    const expected = `at most ${LONGEST_PREFIX} letters, digits, _ and $`;
    throw new SyncError('CONFIG_INVALID', `database.table_prefix: ${expected}`);
  }
  if (!/^[a-z0-9_]{1,21}$/.test(purpose)) throw new TypeError(`not a name of ours: ${purpose}`);
  return `${prefix}account_sync_${purpose}` as Ident;
}

/** MySQL, with our tables behind this prefix. */
export class SiteDialect extends MysqlDialect {
  readonly #prefix: string;

  constructor(prefix: string, config: MysqlDialectConfig) {
    super(config);
    this.#prefix = prefix;
  }

  override createQueryCompiler(): MysqlQueryCompiler {
    return new SiteCompiler(this.#prefix);
  }
}

class SiteCompiler extends MysqlQueryCompiler {
  readonly #prefix: string;

  constructor(prefix: string) {
    super();
    this.#prefix = prefix;
  }

  protected override visitIdentifier(node: IdentifierNode): void {
    const ours = nodes.get(node);
    if (ours === undefined) return super.visitIdentifier(node);
    const name = ownName(this.#prefix, ours.purpose);
    // Without quotes in it, or ownName() would have thrown.
    if (ours.as === 'text') return this.append(`'${name}'`);
    super.visitIdentifier(IdentifierNode.create(name));
  }
}
