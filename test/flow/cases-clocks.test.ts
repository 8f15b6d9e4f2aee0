import { clockCases } from './cases/clocks.ts';
import { playCases } from './cases/run-cases.ts';

playCases('clocks', clockCases, { pairs: [['8', '5.2']] });
