import { SwitchboardError } from '../errors.ts';

/** A bounded buffer between incoming items and a `for await` loop. */
export interface Stream<Item> {
  readonly items: AsyncIterableIterator<Item>;
  readonly push: (item: Item) => void;
  /** Ends the loop after the buffered items. With an error, the loop then throws it. */
  readonly end: (error?: SwitchboardError) => void;
}

/** `onEnd` is called for every kind of end: `end`, a loop that breaks, a full buffer. */
export function createStream<Item>(limit: number, onEnd: () => void): Stream<Item> {
  const buffer: Item[] = [];
  let ending: { readonly error?: SwitchboardError | undefined } | undefined;
  let wake: (() => void) | undefined;

  async function* read(): AsyncGenerator<Item> {
    for (;;) {
      while (buffer.length > 0) yield* buffer.splice(0, 1);
      if (ending?.error) throw ending.error;
      if (ending) return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  function end(error?: SwitchboardError): void {
    if (ending) return;
    ending = { error };
    onEnd();
    wake?.();
  }

  const items = read();
  // The generator's own `return` would wait for the next item, and does nothing before the first `next`.
  items.return = () => {
    buffer.length = 0;
    end();
    return Promise.resolve({ done: true, value: undefined });
  };

  return {
    items,
    end,
    push(item) {
      if (ending) return;
      if (buffer.push(item) > limit) {
        buffer.pop();
        end(new SwitchboardError('overflow'));
      }
      wake?.();
    },
  };
}
