import * as z from 'zod/mini';
import { defaultTenant, Refusal } from '../../protocol/index.ts';

/**
 * The setting `serviceTenants`: the tenant of each service, by the name of its IAM role or user. `*` stands for every
 * tenant. If it is empty, every caller may use every tenant.
 */
export type ServiceTenants = Readonly<Record<string, string>>;

/** The tenants that a caller may use. */
export interface TenantScope {
  readonly includes: (tenant: string) => boolean;
  /** The tenant of a request that names this one, or none. Throws a `forbidden` for a tenant outside the scope. */
  readonly tenantOf: (asked: string | undefined) => string;
}

/** Reads the setting from its JSON. */
export function readServiceTenants(json: string): ServiceTenants {
  return z.parse(z.record(z.string(), z.string()), JSON.parse(json));
}

/** The scope of a caller with this ARN. Throws a `forbidden` if there are tenants of services, and none of the caller. */
export function scopeOf(callerArn: string | undefined, tenants: ServiceTenants): TenantScope {
  const bound = Object.keys(tenants).length === 0 ? '*' : tenantOfCaller(callerArn, tenants);
  if (bound === '*') return { includes: () => true, tenantOf: (asked = defaultTenant) => asked };
  return {
    includes: (tenant) => tenant === bound,
    tenantOf(asked = bound) {
      if (asked === bound) return bound;
      throw Refusal.at('forbidden', 'tenant', `must be ${bound}, the tenant of this caller`);
    },
  };
}

function tenantOfCaller(callerArn: string | undefined, tenants: ServiceTenants): string {
  if (callerArn === undefined) {
    throw forbidden(
      'A direct invocation does not say who calls, so it has no tenant. Call over HTTP instead.',
    );
  }
  const name = nameOf(callerArn);
  const tenant = name !== undefined && Object.hasOwn(tenants, name) ? tenants[name] : undefined;
  if (tenant === undefined) throw forbidden('The setting serviceTenants names no tenant for this caller.');
  return tenant;
}

/**
 * The name of the role of a session, `arn:aws:sts::123456789012:assumed-role/Name/session`, or of a user,
 * `arn:aws:iam::123456789012:user/path/Name`. Other callers, such as the root user, have no name.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
function nameOf(arn: string): string | undefined {
  const [, role] = /^arn:[\w-]+:sts::\d+:assumed-role\/([^/]+)\/[^/]+$/.exec(arn) ?? [];
  const [, user] = /^arn:[\w-]+:iam::\d+:user\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  return role ?? user;
}

function forbidden(message: string): Refusal {
  return new Refusal('forbidden', message);
}
