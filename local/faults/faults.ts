import type { Clock } from '../clock.ts';
import type { Meter } from '../meter.ts';
import { createDraws } from './draws.ts';
import { type FaultName, type FaultSettings, noFaults, readFaults } from './settings.ts';

/** Decides, wherever the cloud could fail, whether it does; and counts it in the meter as `faults.<name>`. */
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

  /** Replaces all settings and begins all draws anew; throws a FaultSettingsError for what cannot be. */
  replace(given: unknown): void {
    this.#settings = readFaults(given, this.#defaults);
    this.#draws.clear();
    this.#clock.setSpeed(this.#settings.clockSpeed);
    for (const rearm of this.#rearms) rearm();
  }

  /** Whether this fault happens now; then it is counted. */
  strikes(name: FaultName): boolean {
    if (!this.isDue(name)) return false;
    this.count(name);
    return true;
  }

  /** The same, for a fault that may yet not come to pass: it is for the caller to count it. */
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

  /** Cuts a connection at a random time, by the settings of then; the answer cancels that. */
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
