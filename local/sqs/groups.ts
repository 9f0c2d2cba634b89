import { asList, asRecord, asText, type JsonRecord } from '../json.ts';

/**
 * The message groups of standard queues (fair queues). The engine drops them, so they are kept here from the sending
 * of a message to its deletion. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export class MessageGroups {
  readonly #groups = new Map<string, string>();
  readonly #receipts = new Map<string, string>();
  readonly #sending = new Set<Promise<unknown>>();

  /** Remembers the groups of new messages. A message may be received before its sender has the answer. */
  async send<T extends { readonly body: JsonRecord }>(input: JsonRecord, send: () => Promise<T>): Promise<T> {
    const sent = send().then((answer) => {
      this.#remember(input, answer.body);
      return answer;
    });
    const settled = sent.catch(() => undefined).finally(() => this.#sending.delete(settled));
    this.#sending.add(settled);
    return sent;
  }

  /** Adds `MessageGroupId` to the attributes of received messages. */
  async receive(body: JsonRecord): Promise<JsonRecord> {
    const messages = asList(body.Messages).map(asRecord);
    if (messages.length === 0) return body;
    await Promise.all(this.#sending);
    return {
      ...body,
      Messages: messages.map((message) => {
        const group = this.#groups.get(asText(message.MessageId) ?? '');
        if (group === undefined) return message;
        this.#receipts.set(asText(message.ReceiptHandle) ?? '', asText(message.MessageId) ?? '');
        return { ...message, Attributes: { ...asRecord(message.Attributes), MessageGroupId: group } };
      }),
    };
  }

  forget(receiptHandle: string): void {
    this.#groups.delete(this.#receipts.get(receiptHandle) ?? '');
    this.#receipts.delete(receiptHandle);
  }

  #remember(input: JsonRecord, answer: JsonRecord): void {
    this.#set(answer.MessageId, input.MessageGroupId);
    const ids = new Map(
      asList(answer.Successful).map((entry) => [asRecord(entry).Id, asRecord(entry).MessageId]),
    );
    for (const entry of asList(input.Entries).map(asRecord))
      this.#set(ids.get(entry.Id), entry.MessageGroupId);
  }

  #set(messageId: unknown, group: unknown): void {
    if (typeof messageId === 'string' && typeof group === 'string') this.#groups.set(messageId, group);
  }
}
