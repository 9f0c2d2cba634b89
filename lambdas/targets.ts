import { systemClock as clock } from '../core/clock.ts';
import { createSecretReader } from '../core/targets/secrets.ts';
import { readEndpoint } from './environment.ts';

/** What a function needs to call targets. */
export const sendParts = { readSecret: createSecretReader(clock), endpoint: readEndpoint(), clock };
