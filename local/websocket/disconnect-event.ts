/** How a connection ended: the close code and reason that `$disconnect` is told. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** DISCONNECT (aws-lambda-go, apigw-websocket-request-disconnect.json): these four headers, three of them empty. */
export function disconnectEvent(
  ending: Ending,
  stageVariables: Readonly<Record<string, string>>,
  context: Readonly<Record<string, unknown>> & { readonly domainName?: unknown },
): unknown {
  const host = typeof context.domainName === 'string' ? context.domainName : '';
  return {
    headers: { Host: host, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' },
    multiValueHeaders: { Host: [host], 'x-api-key': [''], 'X-Forwarded-For': [''], 'x-restapi': [''] },
    ...(Object.keys(stageVariables).length === 0 ? {} : { stageVariables }),
    requestContext: { ...context, disconnectStatusCode: ending.code, disconnectReason: ending.reason },
    isBase64Encoded: false,
  };
}
