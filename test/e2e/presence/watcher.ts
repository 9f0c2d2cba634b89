import { expect } from 'vitest';
import type { Client, Frame } from '../client.ts';
import type { Stack, User } from '../stack.ts';

/** A client that watches, and what it was told last of each user, or of each user of a topic. */
export class Watcher {
  readonly client: Client;
  /** Every frame `presence`, in the order of arrival. */
  readonly told: Frame[] = [];
  private asked = 0;
  private readonly answers = new Map<string, (frame: Frame) => void>();

  private constructor(client: Client) {
    this.client = client;
    client.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      if (frame['type'] === 'presence') this.told.push(frame);
      this.answers.get(frame['id'] as string)?.(frame);
    });
  }

  static async open(stack: Stack, user: User): Promise<Watcher> {
    return new Watcher(await stack.connect(user));
  }

  /** Sends a frame, and resolves to its answer. */
  ask(type: string, content: unknown): Promise<Frame> {
    const id = `ask-${String((this.asked += 1))}`;
    const answer = new Promise<Frame>((resolve) => {
      this.answers.set(id, resolve);
    });
    this.client.send({ type, content, id });
    return answer;
  }

  async watch(content: unknown): Promise<unknown> {
    const answer = await this.ask('watch', content);
    expect(answer).toMatchObject({ type: 'ack' });
    return answer['content'];
  }

  /** The contents of the frames so far. */
  contents(): unknown[] {
    return this.told.map(({ content }) => content);
  }

  /** Waits until so many frames have come, and returns their contents. */
  async toldOf(count: number): Promise<unknown[]> {
    await expect.poll(() => this.told.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
    return this.contents();
  }
}
