import { describe, expect, it } from 'vitest';
import { readServiceTenants, scopeOf } from '../../../core/auth/service-tenants.ts';
import { refusalOf } from '../../protocol/refusal-of.ts';

const role = (name: string, session = 'i-0123') =>
  `arn:aws:sts::123456789012:assumed-role/${name}/${session}`;
const user = (path: string) => `arn:aws:iam::123456789012:user/${path}`;
const tenants = { Orders: 'acme', Admin: '*', 'ci@example.com': 'test' };

describe('without tenants of services', () => {
  it.each([role('Orders'), user('someone'), 'arn:aws:iam::123456789012:root', undefined])(
    '%s may use every tenant',
    (arn) => {
      const { includes, tenantOf } = scopeOf(arn, {});
      expect([tenantOf(undefined), tenantOf('acme'), includes('acme')]).toEqual(['default', 'acme', true]);
    },
  );
});

describe('a service that is bound to a tenant', () => {
  it.each([
    [role('Orders'), 'acme'],
    [role('Orders', 'deploy@host=1'), 'acme'],
    ['arn:aws-us-gov:sts::123456789012:assumed-role/Orders/x', 'acme'],
    [user('Orders'), 'acme'],
    [user('teams/billing/Orders'), 'acme'],
    [user('ci@example.com'), 'test'],
  ])('%s uses %s by default, and no other tenant', (arn, tenant) => {
    const { includes, tenantOf } = scopeOf(arn, tenants);
    expect([tenantOf(undefined), tenantOf(tenant)]).toEqual([tenant, tenant]);
    expect([includes(tenant), includes('default')]).toEqual([true, false]);
    for (const other of ['default', 'other', '*', '']) {
      expect(refusalOf(() => tenantOf(other))).toMatchObject({
        code: 'forbidden',
        message: `tenant: must be ${tenant}, the tenant of this caller`,
        details: [{ field: 'tenant' }],
      });
    }
  });
});

describe('a service that is bound to *', () => {
  it('may use every tenant', () => {
    const { includes, tenantOf } = scopeOf(role('Admin'), tenants);
    expect([tenantOf(undefined), tenantOf('other'), includes('other')]).toEqual(['default', 'other', true]);
  });
});

describe('a caller without a tenant', () => {
  it.each([
    role('Billing'),
    role('orders'),
    role('Billing', 'Orders'),
    role('constructor'),
    user('Orders/someone'),
    user('__proto__'),
    'arn:aws:iam::123456789012:role/Orders',
    'arn:aws:sts::123456789012:federated-user/Orders',
    'arn:aws:iam::123456789012:root',
    'Orders',
    '',
  ])('such as %j is forbidden', (arn) => {
    expect(refusalOf(() => scopeOf(arn, tenants))).toMatchObject({
      code: 'forbidden',
      message: 'The setting serviceTenants names no tenant for this caller.',
    });
  });

  it('such as a direct invocation is told to call over HTTP', () => {
    expect(refusalOf(() => scopeOf(undefined, tenants))).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('Call over HTTP') as string,
    });
  });
});

describe('the setting', () => {
  it('is read from JSON, and must be a map of texts', () => {
    expect(readServiceTenants('{"Orders":"acme"}')).toEqual({ Orders: 'acme' });
    for (const json of ['{"Orders":1}', '[]', 'Orders']) expect(() => readServiceTenants(json)).toThrow();
  });
});
