import type { Clock } from '../clock.ts';
import type { Faults } from '../faults/faults.ts';
import type { Functions } from '../lambda/functions.ts';
import type { Log } from '../log.ts';
import type { Meter } from '../meter.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import { executeApiHost } from '../template/resource-types.ts';
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
}

/**
 * The host of an API's default endpoint, which events call the domain name. Functions call `https://{domainName}/{stage}`;
 * what they send to hosts of AWS comes here.
 */
export function domainNameOf({ region }: Deployment, apiId: string): string {
  return `${apiId}.${executeApiHost(region)}`;
}

/** `arn:aws:execute-api:region:account:apiId/…`, the form that permissions and IAM policies use. */
export function executeApiArn(deployment: Deployment, resource: string): string {
  return `arn:aws:execute-api:${deployment.region}:${deployment.accountId}:${resource}`;
}
