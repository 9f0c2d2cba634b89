import * as z from 'zod/mini';
import { limits } from './limits.ts';

// The contents of the frames. Each message says what is allowed.

const names = 'A-Z a-z 0-9 . _ @ + -';
const user = z
  .string('must be a user, such as member:42')
  .check(
    z.regex(/^[A-Za-z0-9._@+-]{1,128}:[A-Za-z0-9._@+-]{1,128}$/, `must be <type>:<id>, each of ${names}`),
  );
const conversation = z
  .string('must be the id of a conversation')
  .check(z.regex(/^(private|group|room):[A-Za-z0-9_-]{1,40}$/, 'must be the id of a conversation'));
const offset = z.int('must be an offset').check(z.gte(0, 'must be 0 or more'));
const clientId = shortText(limits.idLength);
const name = shortText(limits.nameLength);
const after = z.optional(z.string().check(z.maxLength(300, 'must be the `next` of a page')));

/** Text with something to see in it. */
function shortText(most: number) {
  const rule = `must be 1 to ${most} characters, not only spaces`;
  return z.string(rule).check(z.maxLength(most, rule), z.regex(/\S/, rule));
}

export const page = z.object({ after });
export const inConversation = z.object({ conversation });
export const withUser = z.object({ user });
export const member = z.object({ conversation, user });
export const memberPage = z.object({ conversation, after });
export const position = z.object({ conversation, offset });
export const rename = z.object({ conversation, name });
export const group = z.object({
  name,
  clientId,
  users: z
    .array(user)
    .check(z.maxLength(limits.groupMembers, `must be at most ${limits.groupMembers} users`)),
});
export const room = z.object({
  name,
  room: z.string().check(z.regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 of a-z 0-9 -')),
});
export const message = z.object({ conversation, clientId, text: shortText(limits.textLength) });
export const messagePage = z.object({
  conversation,
  before: z.optional(offset),
  after: z.optional(offset),
  limit: z.optional(
    z
      .int()
      .check(
        z.gte(1, `must be 1 to ${limits.pageSize}`),
        z.lte(limits.pageSize, `must be 1 to ${limits.pageSize}`),
      ),
  ),
});
