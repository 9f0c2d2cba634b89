import type { Clock } from '../clock.ts';
import type { Meter } from '../meter.ts';
import { createDraws } from './draws.ts';
import { type FaultName, type FaultSettings, noFaults, readFaults } from './settings.ts';

/** Decides at each place where the cloud can fail whether it does. The meter counts each fault as `faults.<name>`. */
export class Faults {
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #defaults: FaultSettings;
  readonly #rearms = new Set<() => void>();
  readonly #draws = new Map<FaultName, () => number>();
  #settings: FaultSettings;

  constructor(given: Partial<FaultSettings>, clock: Clock, meter: Meter) {
    this.#clock = clock;
    this.#meter = meter;
    this.#defaults = { ...noFaults, clockSpeed: clock.speed };
    this.#settings = readFaults(given, this.#defaults);
    clock.setSpeed(this.#settings.clockSpeed);
  }

  get settings(): FaultSettings {
    return this.#settings;
  }

  /** Replaces all settings and restarts the random numbers. Throws a FaultSettingsError for an invalid setting. */
  replace(given: unknown): void {
    this.#settings = readFaults(given, this.#defaults);
    this.#draws.clear();
    this.#clock.setSpeed(this.#settings.clockSpeed);
    for (const rearm of this.#rearms) rearm();
  }

  /** Whether to inject this fault now. If so, it is counted. */
  shouldInject(name: FaultName): boolean {
    if (!this.isDue(name)) return false;
    this.count(name);
    return true;
  }

  /** The same for a fault that may still not happen. The caller counts it. */
  isDue(name: FaultName): boolean {
    const share = this.#settings[name];
    return share > 0 && this.between(name, 0, 1) < share;
  }

  count(name: FaultName): void {
    this.#meter.count(`faults.${name}`);
  }

  between(name: FaultName, from: number, to: number): number {
    const draw = this.#draws.get(name) ?? createDraws(this.#settings.seed, name);
    this.#draws.set(name, draw);
    return from + draw() * (to - from);
  }

  /** Cuts a connection at a random time, by the settings at that time. The returned function cancels it. */
  cutLater(cut: () => void): () => void {
    let cancel: () => void = () => undefined;
    const arm = (): void => {
      cancel();
      const { cutAfterMs } = this.#settings;
      if (cutAfterMs === 0) return;
      cancel = this.#clock.after(this.between('cutAfterMs', 0, 2 * cutAfterMs), () => {
        this.count('cutAfterMs');
        cut();
      });
    };
    arm();
    this.#rearms.add(arm);
    return () => {
      this.#rearms.delete(arm);
      cancel();
    };
  }
}
