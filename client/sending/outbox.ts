import { SwitchboardError } from '../errors.ts';
import type { Connection } from '../connection/connection.ts';
import type { Request, Requests } from './requests.ts';
import { createUpload, isTooLarge, type UploadSettings } from './upload.ts';

/** Sends the application's frames: at once if the connection is open, else in order when it opens. */
export interface Outbox {
  readonly send: (type: string, content?: unknown) => Promise<unknown>;
  /** Sends the waiting frames if a connection is open. Rejects them if the client is closed. */
  readonly flush: () => void;
}

export interface OutboxSettings extends UploadSettings {
  readonly requests: Requests;
  readonly queueLimit: number;
  readonly queueMaxAgeMs: number;
  /** The connection, if frames may be sent on it now. */
  readonly connection: () => Connection | undefined;
  /** Why the client is closed. */
  readonly closeReason: () => SwitchboardError | undefined;
  /** Finds out whether the connection still works, after an answer did not come. */
  readonly look: () => void;
}

export function createOutbox(settings: OutboxSettings): Outbox {
  const { requests, queueLimit, queueMaxAgeMs, connection, closeReason, look } = settings;
  const upload = createUpload(settings);
  let queue: Request[] = [];

  function go(request: Request): void {
    const error = closeReason();
    const open = connection();
    if (error) request.settle({ error });
    else if (!open) enqueue(request);
    else requests.transmit(request, isTooLarge(request.text) ? upload : open);
  }

  function enqueue(request: Request): void {
    if (queue.length >= queueLimit) request.settle({ error: new SwitchboardError('queue_full') });
    else {
      queue.push(request);
      request.expire(queueMaxAgeMs, 'queue_expired');
    }
  }

  return {
    async send(type, content) {
      const request = requests.make(type, content);
      go(request);
      const answer = await request.answered;
      queue = queue.filter((other) => other !== request);
      if (answer.error) {
        if (answer.error.code === 'timeout') look();
        throw answer.error;
      }
      return answer.content;
    },
    flush() {
      if (!connection() && !closeReason()) return;
      const waiting = queue;
      queue = [];
      for (const request of waiting) go(request);
    },
  };
}
