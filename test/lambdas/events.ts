// Events as API Gateway sends them, with the fields of AWS's own test data: aws-lambda-go,
// events/testdata/apigw-websocket-request-*.json, and the developer guide's page on Lambda authorizers.

export interface Client {
  readonly connectionId: string;
  readonly userId: string;
  readonly connectedAt: number;
  readonly tokenExpiresAt: number;
}

export function clientOf(connectionId: string, differing: Partial<Client> = {}): Client {
  const connectedAt = Date.now();
  return { connectionId, userId: '1', connectedAt, tokenExpiresAt: connectedAt + 3_600_000, ...differing };
}

export function authorizerEvent(connectionId: string, query: Record<string, string> | null, headers = {}) {
  const { authorizer: _none, ...requestContext } = contextOf(clientOf(connectionId), '$connect', 'CONNECT');
  return {
    type: 'REQUEST',
    methodArn: 'arn:aws:execute-api:us-east-1:123456789012:abcdef123/live/$connect',
    headers: { Connection: 'upgrade', Host: 'abcdef123.execute-api.us-east-1.amazonaws.com', ...headers },
    multiValueHeaders: { Connection: ['upgrade'] },
    queryStringParameters: query,
    stageVariables: {},
    requestContext,
  };
}

export function connectEvent(client: Client, query: Record<string, string> = {}) {
  return {
    headers: { Host: 'abcdef123.execute-api.us-east-1.amazonaws.com', 'User-Agent': 'Mozilla/5.0' },
    multiValueHeaders: { Host: ['abcdef123.execute-api.us-east-1.amazonaws.com'] },
    queryStringParameters: query,
    multiValueQueryStringParameters: Object.fromEntries(
      Object.entries(query).map(([key, value]) => [key, [value]]),
    ),
    requestContext: contextOf(client, '$connect', 'CONNECT'),
    isBase64Encoded: false,
  };
}

export function messageEvent(client: Client, body: string | null) {
  const requestContext = { ...contextOf(client, '$default', 'MESSAGE'), messageId: 'R1knPc2ntjMCFIA=' };
  return { requestContext, body, isBase64Encoded: false };
}

export function disconnectEvent(client: Client) {
  return {
    headers: {
      Host: 'abcdef123.execute-api.us-east-1.amazonaws.com',
      'x-api-key': '',
      'X-Forwarded-For': '',
      'x-restapi': '',
    },
    requestContext: {
      ...contextOf(client, '$disconnect', 'DISCONNECT'),
      disconnectStatusCode: 1001,
      disconnectReason: '',
    },
    isBase64Encoded: false,
  };
}

export interface HttpRequest {
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly path?: Record<string, string>;
  readonly query?: Record<string, string>;
}

/** HTTP API, payload format 2.0. Fields that a request lacks are absent, not null. */
export function httpEvent(
  routeKey: string,
  { body, isBase64Encoded = false, path, query }: HttpRequest = {},
) {
  const [method = '', rawPath = ''] = routeKey.split(' ');
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: { 'content-type': 'application/json', host: 'api.example.com' },
    ...(query && { queryStringParameters: query }),
    ...(path && { pathParameters: path }),
    ...(body !== undefined && { body }),
    requestContext: {
      accountId: '123456789012',
      apiId: 'http123',
      domainName: 'api.example.com',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.9', userAgent: 'curl/8.0' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey,
      stage: '$default',
      time: '20/Nov/2026:12:00:00 +0000',
      timeEpoch: Date.now(),
    },
    isBase64Encoded,
  };
}

/** The event of the HTTP API's authorizer, payload format 2.0 (http-api-lambda-authorizer). */
export function httpAuthorizerEvent(routeKey: string, headers: Record<string, string>) {
  const event = httpEvent(routeKey);
  return {
    ...event,
    type: 'REQUEST',
    routeArn: `arn:aws:execute-api:us-east-1:123456789012:http123/$default/${event.requestContext.http.method}${event.rawPath}`,
    identitySource: [headers['authorization'] ?? ''],
    headers: { ...event.headers, ...headers },
  };
}

/** The nulls in events that were captured in 2020 and 2021. */
export const nulls = {
  messageId: null,
  disconnectStatusCode: null,
  disconnectReason: null,
  identity: {
    cognitoIdentityPoolId: null,
    accountId: null,
    caller: null,
    user: null,
    userAgent: null,
    sourceIp: '192.0.2.1',
  },
};

/** The event that delivers a job to a worker (Lambda, SQS event source). */
export function queueEvent(body: string, receiveCount = 1) {
  return {
    Records: [
      {
        messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
        receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a',
        body,
        attributes: {
          ApproximateReceiveCount: String(receiveCount),
          SentTimestamp: '1545082649183',
          SenderId: 'AIDAIENQZJOLO23YVJ4VO',
          ApproximateFirstReceiveTimestamp: '1545082649185',
        },
        messageAttributes: {},
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:jobs',
        awsRegion: 'us-east-1',
      },
    ],
  };
}

function contextOf(client: Client, routeKey: string, eventType: string) {
  const { connectionId, connectedAt, userId, tokenExpiresAt } = client;
  return {
    routeKey,
    eventType,
    extendedRequestId: 'R1knPH17NjMFftw=',
    requestTime: '20/Nov/2026:12:00:00 +0000',
    messageDirection: 'IN',
    stage: 'live',
    connectedAt,
    requestTimeEpoch: connectedAt,
    identity: { userAgent: 'Mozilla/5.0', sourceIp: '192.0.2.1' },
    authorizer: {
      principalId: `default/member/${userId}`,
      integrationLatency: 42,
      tenant: 'default',
      userType: 'member',
      userId,
      tokenExpiresAt: String(tokenExpiresAt),
      topics: '',
    },
    requestId: 'R1knPH17NjMFftw=',
    domainName: 'abcdef123.execute-api.us-east-1.amazonaws.com',
    connectionId,
    apiId: 'abcdef123',
  };
}
