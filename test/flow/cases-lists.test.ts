import { allCases, listCases, listStage } from './cases/lists.ts';
import { playCases } from './cases/run-cases.ts';

playCases('lists of columns', listCases, { ...listStage, pairs: [['3.7', '8']] });
playCases('lists that say all', allCases, {
  pairs: [['8', '8']],
  columns: { both: ['i_gdpr_tc int NULL'] },
  peerExtra: { a: '    send_columns: all', b: '    columns: all' },
});
