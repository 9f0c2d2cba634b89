import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClock } from '../../../local/clock.ts';
import { Faults } from '../../../local/faults/faults.ts';
import { OutboundQueue } from '../../../local/faults/outbound-queue.ts';
import type { FaultSettings } from '../../../local/faults/settings.ts';
import { createMeter } from '../../../local/meter.ts';

function createQueue(given: Partial<FaultSettings>) {
  const sent: string[] = [];
  const faults = new Faults(given, createClock(1), createMeter());
  return { sent, queue: new OutboundQueue(faults, (text) => sent.push(text)) };
}

describe('the outbound queue of a connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('sends at once without faults', () => {
    const { queue, sent } = createQueue({});
    expect(queue.send('a')).toBe('sent');
    expect(sent).toEqual(['a']);
  });

  it('of a slow client sends one message every 20 ms, in order', () => {
    const { queue, sent } = createQueue({ slowConsumer: 1 });
    for (const text of ['a', 'b', 'c']) queue.send(text);
    vi.advanceTimersByTime(19);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['a']);
    vi.advanceTimersByTime(40);
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  it('of a slow client is full when 256 messages wait', () => {
    const { queue } = createQueue({ slowConsumer: 1 });
    for (let index = 0; index < 256; index += 1) expect(queue.send('x')).toBe('sent');
    expect(queue.send('x')).toBe('full');
    vi.advanceTimersByTime(20);
    expect(queue.send('x')).toBe('sent');
  });

  it('holds a message back for at most 100 ms, so that later ones overtake it', () => {
    const { queue, sent } = createQueue({ reordered: 0.5 });
    const texts = Array.from({ length: 30 }, (_, index) => String(index));
    for (const text of texts) expect(queue.send(text)).toBe('sent');
    vi.advanceTimersByTime(100);
    expect(sent).not.toEqual(texts);
    expect([...sent].sort((a, b) => Number(a) - Number(b))).toEqual(texts);
  });

  it('drops the messages that wait when the connection closes', () => {
    const { queue, sent } = createQueue({ slowConsumer: 1 });
    queue.send('a');
    queue.close();
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([]);
  });
});
