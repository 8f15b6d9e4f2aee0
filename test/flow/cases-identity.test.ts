import { identityCases } from './cases/identity.ts';
import { playCases } from './cases/run-cases.ts';

playCases('identity', identityCases);
