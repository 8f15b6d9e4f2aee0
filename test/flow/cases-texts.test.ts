import { playCases } from './cases/run-cases.ts';
import { textCases, textStage } from './cases/texts.ts';

playCases('descriptions', textCases, {
  ...textStage,
  pairs: [
    ['3.7', '8'],
    ['8', '5.2'],
  ],
});
