import { placeCases, placeStage, textOnlyCases } from './cases/places.ts';
import { playCases } from './cases/run-cases.ts';

playCases('places', placeCases, placeStage);
playCases('places as text only', textOnlyCases, { extra: { b: 'locations: text_only' }, pairs: [['8', '5.2']] });
