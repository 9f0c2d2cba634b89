/** MESSAGE (aws-lambda-go, apigw-websocket-request-send-message.json): no headers, no query; alone in having `messageId`. */
export function messageEvent(
  body: string,
  messageId: string,
  stageVariables: Readonly<Record<string, string>>,
  context: Readonly<Record<string, unknown>>,
): unknown {
  return {
    ...(Object.keys(stageVariables).length === 0 ? {} : { stageVariables }),
    requestContext: { ...context, messageId },
    body,
    isBase64Encoded: false,
  };
}
