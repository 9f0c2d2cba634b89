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
    emit(name, ...values) {
      // A copy: what a handler adds is not for this event.
      for (const registration of [...registrations]) {
        const [registered, handler, isOnce] = registration;
        if (registered !== name) continue;
        if (isOnce) registrations.delete(registration);
        guard(() => handler(...(values as never[])));
      }
    },
  };
}

/** A handler that throws is a bug of its owner: it is reported like any other, and takes no message from the rest. */
export function guard(run: () => void): void {
  try {
    run();
  } catch (cause) {
    queueMicrotask(() => {
      throw cause;
    });
  }
}
