import { playCases } from './cases/run-cases.ts';
import { tieCases, tieStage } from './cases/ties.ts';

playCases('old sites that meet', tieCases('Alpha'), { ...tieStage, pairs: [['3.7', '5.2']] });
playCases('old sites that meet, the second with priority', tieCases('Beta'), {
  ...tieStage,
  pairs: [['5.2', '8']],
  siteExtra: { a: 'priority: 20', b: 'priority: 10' },
});
