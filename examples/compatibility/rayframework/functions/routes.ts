import { name } from 'switchboard/protocol';
import { createPublisher, PublishError } from 'switchboard/publisher';
import * as z from 'zod/mini';
import { answer, contentOf, type HttpAnswer, type HttpEvent } from '../../http-event.ts';
import { frameType, pageType, rayMessage, writeMessage } from '../message.ts';
import { routes } from '../routes.ts';
import { waitersInTable } from '../waiters.ts';

// RayFramework's ids are numbers.
const id = z.pipe(
  z.pipe(
    z.union([z.string(), z.int()]),
    z.transform((value) => String(value)),
  ),
  name,
);
const tenant = z._default(id, 'default');
const account = z.object({ staffId: id, userType: z._default(name, pageType), corporationId: tenant });
const toAll = z.extend(rayMessage, { corporationId: tenant });
const toOne = z.extend(toAll, {
  staffId: z.union([id, z.array(id).check(z.minLength(1), z.maxLength(100))]),
});
const listed = z.object({ corporationId: tenant });

const waiters = waitersInTable();
const publisher = createPublisher({
  url: process.env['PUBLISH_URL'] ?? '',
  // Behind a custom domain the URL names no Region.
  ...(process.env['AWS_REGION'] !== undefined && { region: process.env['AWS_REGION'] }),
});

/** Answers RayFramework's own requests. API Gateway has checked the signature of the caller. */
export async function handler(event: HttpEvent): Promise<HttpAnswer> {
  try {
    return answer(200, await respond(event));
  } catch (cause) {
    if (cause instanceof z.core.$ZodError) return answer(400, { message: z.prettifyError(cause) });
    if (cause instanceof PublishError) return answer(cause.status, { message: cause.message });
    throw cause;
  }
}

async function respond(event: HttpEvent): Promise<unknown> {
  const content = contentOf(event);
  switch (event.routeKey) {
    case routes.sendToOne: {
      const { staffId, corporationId, ...message } = z.parse(toOne, content);
      const to = [staffId].flat().map((one) => `user:${pageType}:${one}`);
      return publisher.publish({ to, tenant: corporationId, text: writeMessage(message) });
    }
    case routes.sendToAll: {
      const { corporationId, ...message } = z.parse(toAll, content);
      const [pages, frames] = await Promise.all([
        publisher.publish({ to: `type:${pageType}`, tenant: corporationId, text: writeMessage(message) }),
        publisher.publish({
          ...{ to: `type:${frameType}`, tenant: corporationId },
          ...{ type: 'rayim-message', content: message },
        }),
      ]);
      return { pages, frames };
    }
    case routes.register: {
      const { staffId, userType, corporationId } = z.parse(account, content);
      await waiters.add(corporationId, `${userType}:${staffId}`);
      break;
    }
    case routes.remove: {
      const { staffId, userType, corporationId } = z.parse(account, content);
      await waiters.remove(corporationId, `${userType}:${staffId}`);
      break;
    }
  }
  const { corporationId } = z.parse(listed, event.queryStringParameters ?? content ?? {});
  return { waiters: await waiters.list(corporationId) };
}
