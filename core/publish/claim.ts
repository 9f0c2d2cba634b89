import { type DeliveryAnswer, type PublishRequest, Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { PublicationId } from '../publications/items.ts';
import { type Claimed, hashOf, type Publications } from '../publications/publications.ts';

export type ClaimOutcome = Claimed | { readonly state: 'answered'; readonly answer: DeliveryAnswer };

/** The same publication may be under way elsewhere. A publish waits so long for its answer. */
const pausesMs = [100, 200, 400, 800, 1600, 1600];

/** Takes the `messageId` for this request, or resolves to the answer that the same request got before. */
export async function claimPublication(
  publications: Pick<Publications, 'claim'>,
  id: PublicationId,
  request: PublishRequest,
  clock: Pick<Clock, 'wait'>,
): Promise<ClaimOutcome> {
  const { messageId } = id;
  const hash = hashOf(request);
  for (const pauseMs of [...pausesMs, undefined]) {
    const claim = await publications.claim(id, hash);
    if (claim.state === 'claimed' || claim.state === 'answered') return claim;
    if (claim.state === 'conflict')
      throw Refusal.at('conflict', 'messageId', `${messageId} was published with another body`);
    if (claim.state === 'cancelled') throw Refusal.at('conflict', 'messageId', `${messageId} was cancelled`);
    if (claim.state === 'missing')
      throw new Refusal('not_found', `No publication ${messageId} waits for its time.`);
    if (pauseMs !== undefined) await clock.wait(pauseMs);
  }
  throw Refusal.at('rate_limited', 'messageId', `${messageId} is still being published; ask again`);
}

/** Takes a `messageId` that is new, so no other publisher has it. */
export async function claimNewPublication(
  publications: Pick<Publications, 'claim'>,
  id: PublicationId,
  request: PublishRequest,
): Promise<Claimed> {
  const claim = await publications.claim(id, hashOf(request));
  if (claim.state === 'claimed') return claim;
  throw new Error(`The new messageId ${id.messageId} is taken.`);
}
