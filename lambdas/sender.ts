import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createCloseSession } from '../core/close-session.ts';
import { createDeliver } from '../core/deliver.ts';
import { createPoster } from '../core/poster.ts';
import { createPublish, createReply } from '../core/publish.ts';
import { type FunctionEnvironments, readRegion } from './environment.ts';
import { log } from './log.ts';
import { buildPublications, buildSessions } from './stores.ts';

/** The parts of a function that sends to connections. */
export function buildSender(environment: FunctionEnvironments['publish']) {
  const sessions = buildSessions(environment);
  const publications = buildPublications(environment);
  const poster = createPoster({ endpoint: environment.CALLBACK_ENDPOINT, region: readRegion() });
  const deliver = createDeliver({ sessions, poster, log, now: Date.now });
  const inlineLimit = Number(environment.INLINE_LIMIT);
  const publish = createPublish({ sessions, publications, deliver, inlineLimit, newId: randomUUID, wait });
  const reply = createReply({ deliver, newId: randomUUID });
  const closeSession = createCloseSession({ sessions, poster });
  return { sessions, publications, publish, reply, closeSession };
}
