/** The limits of the chat. The page and the listeners share them. */
export const limits = {
  /** One publish reaches at most 100 targets. */
  groupMembers: 100,
  /** All members of a conversation are in one item of the table, and each message writes this item. */
  roomMembers: 500,
  nameLength: 60,
  textLength: 4000,
  idLength: 64,
  recallWithinMs: 2 * 60_000,
  /** How long a message is kept. */
  messageDays: 365,
  /** How long a retry of a message finds the message that it repeats. */
  retryDays: 7,
  /** In conversations of more members, only the author of the newest message hears who has read it. */
  readersToldToAll: 20,
  /** Messages, members or people in one answer. */
  pageSize: 100,
  /** Conversations or rooms in one answer. */
  listSize: 50,
  typingEveryMs: 3000,
  typingShownMs: 5000,
} as const;

/** The topic on which the messages of a room are published. A user's token must allow it. */
export function topicOf(conversation: string): string {
  return `chat.${conversation.replace(':', '.')}`;
}
