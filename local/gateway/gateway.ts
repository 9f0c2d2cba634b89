import type { Clock } from '../clock.ts';
import type { Faults } from '../faults/faults.ts';
import type { Functions } from '../lambda/functions.ts';
import type { Ids } from './ids.ts';
import type { Log } from '../log.ts';
import type { Meter } from '../meter.ts';
import type { HttpRequest, KeyRing } from '../sigv4/key-ring.ts';
import type { Deployment } from '../template/template.ts';

/** What the APIs of this cloud need from the rest of it. */
export interface Gateway {
  readonly deployment: Deployment;
  readonly functions: Pick<Functions, 'byArn'>;
  readonly keys: Pick<KeyRing, 'verify'>;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly meter: Meter;
  readonly log: Log;
  readonly ids: Ids;
  /** The machine's time, which functions share; `clock` is only for limits. */
  readonly now: () => number;
  /** Host and port, for example `127.0.0.1:8080`: what events call the domain name. */
  readonly host: string;
}

/** A request as it came over the wire, with what API Gateway knows of its sender. */
export interface GatewayRequest extends HttpRequest {
  /** Path without the query, not decoded. */
  readonly path: string;
  /** Names and values in turn, as Node's `rawHeaders`: nothing merged, case kept. */
  readonly rawHeaders: readonly string[];
  readonly sourceIp: string;
}

export function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

export function queryOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? '' : url.slice(query + 1);
}

/** The first value of a header. */
export function headerOf(request: Pick<HttpRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** `arn:aws:execute-api:region:account:apiId/…`, which permissions and IAM policies are written against. */
export function executeApiArn(deployment: Deployment, resource: string): string {
  return `arn:aws:execute-api:${deployment.region}:${deployment.accountId}:${resource}`;
}
