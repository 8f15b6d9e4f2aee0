import { playCases } from './cases/run-cases.ts';
import { zoneCases, zonelessCases, zonelessStage, zoneStage } from './cases/times.ts';

playCases('time zones', zoneCases, { ...zoneStage, pairs: [['3.7', '8']] });
playCases('a site without zone', zonelessCases, { ...zonelessStage, pairs: [['5.2', '8']] });
