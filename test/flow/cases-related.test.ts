import { relatedCases, relatedStage } from './cases/related.ts';
import { playCases } from './cases/run-cases.ts';

playCases('related tables', relatedCases, { ...relatedStage, pairs: [['8', '3.7']] });
