import { requestTime } from '../gateway/ids.ts';
import { without, type UpgradeRequest } from './upgrade-request.ts';

/** The facts of one connection that every event of it repeats. */
export interface ConnectionFacts {
  readonly apiId: string;
  readonly stage: string;
  readonly domainName: string;
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
}

/** The authorizer's answer to `$connect`. Every later event of the connection repeats it. */
export type AuthorizerContext = Readonly<Record<string, string | number>> & { readonly principalId: string };

/** How a connection ended: the close code and reason that `$disconnect` gets. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

export interface Occasion {
  readonly eventType: 'CONNECT' | 'MESSAGE' | 'DISCONNECT';
  readonly routeKey: string;
  readonly requestId: string;
  readonly at: number;
  readonly authorizer?: AuthorizerContext | undefined;
}

export type RequestContext = Readonly<Record<string, unknown>>;

type StageVariables = Readonly<Record<string, string>>;

/**
 * `requestContext` as in aws-lambda-go's events/testdata/apigw-websocket-request-*.json. `requestId` and
 * `extendedRequestId` are equal (apigateway-websocket-api-mapping-template-reference).
 */
export function requestContext(facts: ConnectionFacts, occasion: Occasion): RequestContext {
  const { apiId, stage, domainName, connectionId, connectedAt, sourceIp, userAgent } = facts;
  const { eventType, routeKey, requestId, at, authorizer } = occasion;
  return {
    routeKey,
    eventType,
    extendedRequestId: requestId,
    requestTime: requestTime(at),
    messageDirection: 'IN',
    stage,
    connectedAt,
    requestTimeEpoch: at,
    identity: { ...(userAgent === undefined ? {} : { userAgent }), sourceIp },
    ...(authorizer === undefined ? {} : { authorizer }),
    requestId,
    domainName,
    connectionId,
    apiId,
  };
}

/**
 * The event of a REQUEST authorizer (apigateway-websocket-api-lambda-auth). Unlike CONNECT it shows `Connection`,
 * `Upgrade` and `content-length`. It has no `pathParameters`, `identitySource` or `version`.
 */
export function authorizerEvent(
  upgrade: UpgradeRequest,
  methodArn: string,
  stageVariables: StageVariables,
  context: RequestContext,
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

/** CONNECT, as captured in 2025. It has no `body`, `path` or `version`, and no query maps if there was no query. */
export function connectEvent(
  upgrade: UpgradeRequest,
  stageVariables: StageVariables,
  context: RequestContext,
): unknown {
  return {
    ...without(upgrade, ['connection', 'upgrade', 'content-length']),
    ...upgrade.query,
    ...present(stageVariables),
    requestContext: context,
    isBase64Encoded: false,
  };
}

/** MESSAGE (aws-lambda-go, apigw-websocket-request-send-message.json). It has no headers; only it has `messageId`. */
export function messageEvent(
  body: string,
  messageId: string,
  stageVariables: StageVariables,
  context: RequestContext,
): unknown {
  return {
    ...present(stageVariables),
    requestContext: { ...context, messageId },
    body,
    isBase64Encoded: false,
  };
}

/** DISCONNECT (aws-lambda-go, apigw-websocket-request-disconnect.json): four headers, three of them empty. */
export function disconnectEvent(
  ending: Ending,
  domainName: string,
  stageVariables: StageVariables,
  context: RequestContext,
): unknown {
  return {
    headers: { Host: domainName, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' },
    multiValueHeaders: {
      Host: [domainName],
      'x-api-key': [''],
      'X-Forwarded-For': [''],
      'x-restapi': [''],
    },
    ...present(stageVariables),
    requestContext: { ...context, disconnectStatusCode: ending.code, disconnectReason: ending.reason },
    isBase64Encoded: false,
  };
}

/** Real events leave empty stage variables out. */
function present(stageVariables: StageVariables): { readonly stageVariables?: StageVariables } {
  return Object.keys(stageVariables).length === 0 ? {} : { stageVariables };
}
