import { disableCases, ignoreCases } from './cases/removal-modes.ts';
import { removalCases, removalStage } from './cases/removal.ts';
import { playCases } from './cases/run-cases.ts';

playCases('removal', removalCases, {
  ...removalStage,
  pairs: [
    ['3.7', '8'],
    ['8', '5.2'],
  ],
});
playCases('removal.mode disable', disableCases, {
  pairs: [['5.2', '8']],
  extra: { b: 'removal: { mode: disable, items_of_blocked: hide }' },
});
playCases('removal.mode ignore', ignoreCases, { pairs: [['8', '5.2']], extra: { b: 'removal: { mode: ignore }' } });
