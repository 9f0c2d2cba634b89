import type { UpgradeParts } from './upgrade-request.ts';

/**
 * What a REQUEST authorizer of a WebSocket API gets (apigateway-websocket-api-lambda-auth). Unlike the CONNECT event it
 * shows `Connection`, `Upgrade` and `content-length`; it has no `pathParameters`, `identitySource` or `version`.
 */
export function authorizerEvent(
  upgrade: UpgradeParts,
  methodArn: string,
  stageVariables: Readonly<Record<string, string>>,
  context: Readonly<Record<string, unknown>>,
): unknown {
  return {
    type: 'REQUEST',
    methodArn,
    headers: { ...upgrade.headers, 'content-length': '0' },
    multiValueHeaders: { ...upgrade.multiValueHeaders, 'content-length': ['0'] },
    ...upgrade.query,
    stageVariables,
    requestContext: context,
  };
}
