import type { TokenSettings } from '../core/auth/settings.ts';

export const secretArn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:token';

/** As the stack sets them by default. */
export const tokenSettings: TokenSettings = {
  parameter: 'token',
  secret: secretArn,
  keySets: [],
  names: {
    userId: 'sub',
    userType: 'userType',
    tenant: 'tenant',
    topics: 'topics',
    send: 'send',
    watch: 'watch',
    contentAs: 'contentAs',
  },
  claims: [],
  textContentFor: [],
  maxLifetimeSeconds: 2_592_000,
  requireTenant: false,
};
