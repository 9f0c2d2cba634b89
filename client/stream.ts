import { SwitchboardError } from './errors.ts';

/** A bounded buffer between what comes and a `for await` loop. */
export interface Stream<Item> {
  readonly items: AsyncIterableIterator<Item>;
  readonly push: (item: Item) => void;
  /** The loop ends after what is buffered; with an error it throws that then. */
  readonly end: (error?: SwitchboardError) => void;
}

/** `onEnd` is called however it ends: by `end`, by a loop that breaks, by a buffer that is full. */
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
  // The generator's own would wait for the next item, and do nothing before the first.
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
