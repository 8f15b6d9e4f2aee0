import { columnCases, columnStage } from './cases/columns.ts';
import { playCases } from './cases/run-cases.ts';

playCases('columns that come and go', columnCases, { ...columnStage, pairs: [['3.7', '8']] });
