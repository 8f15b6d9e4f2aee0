/** All rows of the host safety matrix. */
import type { Row } from './row.ts';
import { DEFINITIONS } from './rows-definitions.ts';
import { HOST } from './rows-host.ts';
import { INSTALL } from './rows-install.ts';
import { OURS } from './rows-ours.ts';
import { STATEMENTS } from './rows-statements.ts';

export const ROWS: readonly Row[] = [...OURS, ...INSTALL, ...HOST, ...DEFINITIONS, ...STATEMENTS];
