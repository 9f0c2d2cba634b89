import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClock } from '../../local/clock.ts';
import { createMeter } from '../../local/meter.ts';

describe('a clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('runs at the speed of the machine’s clock at speed 1', () => {
    const clock = createClock(1);
    vi.advanceTimersByTime(1234);
    expect(clock.now()).toBe(Date.now());
  });

  it('makes two hours take two seconds at speed 3600', () => {
    const clock = createClock(3600);
    const task = vi.fn();
    clock.after(2 * 60 * 60 * 1000, task);
    vi.advanceTimersByTime(1999);
    expect(task).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(task).toHaveBeenCalledOnce();
    expect(clock.now()).toBe(1_000_000 + 2 * 60 * 60 * 1000);
  });

  it('keeps the remaining time of its timers when its speed changes', () => {
    const clock = createClock(1);
    const [task, cancelled] = [vi.fn(), vi.fn()];
    clock.after(10_000, task);
    clock.after(9000, cancelled)();
    vi.advanceTimersByTime(4000);
    clock.setSpeed(1000);
    expect([clock.now(), clock.speed]).toEqual([1_004_000, 1000]);
    vi.advanceTimersByTime(5);
    expect(task).not.toHaveBeenCalled();
    clock.setSpeed(1);
    vi.advanceTimersByTime(999);
    expect(task).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(task).toHaveBeenCalledOnce();
    expect(cancelled).not.toHaveBeenCalled();
    expect(clock.now()).toBe(1_010_000);
  });

  it('does not run a cancelled task', () => {
    const task = vi.fn();
    createClock(1).after(10, task)();
    vi.advanceTimersByTime(20);
    expect(task).not.toHaveBeenCalled();
  });

  it('can wait longer than a timer of Node', () => {
    const days = (count: number): number => count * 24 * 60 * 60 * 1000;
    const task = vi.fn();
    createClock(1).after(days(60), task);
    vi.advanceTimersByTime(days(59));
    expect(task).not.toHaveBeenCalled();
    vi.advanceTimersByTime(days(1));
    expect(task).toHaveBeenCalledOnce();
  });

  it('does not stand still', () => {
    expect(() => createClock(0)).toThrow('The speed of a clock is a number above 0, not 0.');
  });
});

describe('a meter', () => {
  it('counts by name and lists the names in order', () => {
    const meter = createMeter();
    meter.count('sqs.requests');
    meter.count('dynamodb.readUnits', 0.5);
    meter.count('dynamodb.readUnits', 0.5);
    expect(JSON.stringify(meter.snapshot())).toBe('{"dynamodb.readUnits":1,"sqs.requests":1}');
  });
});
