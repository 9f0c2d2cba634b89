import { createPublisher, PublishError } from 'switchboard/publisher';
import { answer, contentOf, type HttpAnswer, type HttpEvent } from '../../http-event.ts';

const publisher = createPublisher({
  url: process.env['PUBLISH_URL'] ?? '',
  // Behind a custom domain the URL names no Region.
  ...(process.env['AWS_REGION'] !== undefined && { region: process.env['AWS_REGION'] }),
});

/** `POST /sendSocket/CC`: sends the body to the subscribers of the topic CC. API Gateway has checked the signature. */
export async function handler(event: HttpEvent): Promise<HttpAnswer> {
  const { pathParameters: { topic = '' } = {}, queryStringParameters: { tenant = 'default' } = {} } = event;
  const message = { type: 'topic-message', content: contentOf(event) };
  try {
    return answer(200, await publisher.publish({ to: `topic:${topic}`, tenant, ...message }));
  } catch (cause) {
    if (cause instanceof PublishError) return answer(cause.status, { message: cause.message });
    throw cause;
  }
}
