type Handler = (...values: never[]) => void;
type Registration = readonly [name: string, handler: Handler, isOnce?: boolean];

/** Handlers by name. The public `on` gives each name its type. */
export interface Emitter {
  readonly on: (...registration: Registration) => () => void;
  readonly off: (name: string, handler: Handler) => void;
  readonly emit: (name: string, ...values: readonly unknown[]) => void;
}

export function createEmitter(): Emitter {
  const registrations = new Set<Registration>();
  let events: (readonly [name: string, ...values: unknown[]])[] = [];
  return {
    on(...registration) {
      registrations.add(registration);
      return () => void registrations.delete(registration);
    },
    off(name, handler) {
      for (const registration of registrations) {
        if (registration[0] === name && registration[1] === handler) registrations.delete(registration);
      }
    },
    emit(...event) {
      // An event that a handler causes waits until every handler has heard the current one.
      if (events.push(event) > 1) return;
      for (const [name, ...values] of events) {
        // A copy: a handler that is added now does not hear this event.
        for (const registration of [...registrations]) {
          const [registered, handler, isOnce] = registration;
          if (registered !== name || !registrations.has(registration)) continue;
          if (isOnce) registrations.delete(registration);
          guard(() => handler(...(values as never[])));
        }
      }
      events = [];
    },
  };
}

/** Reports a throwing handler as an uncaught error. The other handlers still get the message. */
export function guard(run: () => void): void {
  try {
    run();
  } catch (cause) {
    queueMicrotask(() => {
      throw cause;
    });
  }
}
