import type { Clock } from '../clock.ts';
import type { Faults } from '../faults/faults.ts';
import type { Functions } from '../lambda/functions.ts';
import type { Log } from '../log.ts';
import type { Meter } from '../meter.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { Deployment } from '../template/template.ts';
import type { Ids } from './ids.ts';

/** The parts of the cloud that its APIs use. */
export interface Gateway {
  readonly deployment: Deployment;
  readonly functions: Pick<Functions, 'byArn'>;
  readonly keys: Pick<KeyRing, 'verify'>;
  /** For limits only; it may run faster than `now`. */
  readonly clock: Clock;
  readonly faults: Faults;
  readonly meter: Meter;
  readonly log: Log;
  readonly ids: Ids;
  /** The time of this machine, which functions see too. */
  readonly now: () => number;
  /** Host and port, for example `127.0.0.1:8080`. Events call it, with the path of the API, the domain name. */
  readonly host: string;
}

/** `arn:aws:execute-api:region:account:apiId/…`, the form that permissions and IAM policies use. */
export function executeApiArn(deployment: Deployment, resource: string): string {
  return `arn:aws:execute-api:${deployment.region}:${deployment.accountId}:${resource}`;
}
