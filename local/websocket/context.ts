import { requestTime } from '../gateway/ids.ts';

/** What API Gateway knows of one connection, and repeats in every event of it. */
export interface ConnectionFacts {
  readonly apiId: string;
  readonly stage: string;
  readonly domainName: string;
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
}

/** What the authorizer said at `$connect`; it rides on every later event of the connection. */
export type AuthorizerContext = Readonly<Record<string, string | number>> & { readonly principalId: string };

export type EventType = 'CONNECT' | 'MESSAGE' | 'DISCONNECT';

export interface Occasion {
  readonly eventType: EventType;
  readonly routeKey: string;
  readonly requestId: string;
  readonly at: number;
  readonly authorizer?: AuthorizerContext | undefined;
}

/**
 * `requestContext` as in aws-lambda-go's events/testdata/apigw-websocket-request-*.json. `requestId` and
 * `extendedRequestId` are one value (apigateway-websocket-api-mapping-template-reference).
 */
export function requestContext(facts: ConnectionFacts, occasion: Occasion): Record<string, unknown> {
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
