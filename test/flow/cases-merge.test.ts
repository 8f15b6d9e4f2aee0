import { mergeCases } from './cases/merge.ts';
import { playCases } from './cases/run-cases.ts';

playCases('merge', mergeCases, {
  pairs: [
    ['3.7', '8'],
    ['5.2', '5.2'],
  ],
});
