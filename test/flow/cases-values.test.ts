import { playCases } from './cases/run-cases.ts';
import { narrowStage, valueCases } from './cases/values.ts';

playCases('values', valueCases, {
  ...narrowStage,
  pairs: [['8', '3.7']],
});
