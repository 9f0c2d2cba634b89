import { patternFault } from '../../core/targets/rules.ts';
import type { MessageTargetSettings } from '../../lambdas/environment.ts';
import type { ListenerTarget } from './listener-target.ts';
import { SettingsError } from '../settings/settings.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { targetsVariable } from './targets-variable.ts';

/** The targets of message types, which the function that takes frames calls. */
export class MessageTargets {
  private readonly caller: SwitchboardFunction;
  private readonly targets: MessageTargetSettings[] = [];

  constructor(caller: SwitchboardFunction) {
    this.caller = caller;
  }

  add(pattern: string, target: ListenerTarget): void {
    const fault = patternFault(pattern);
    if (fault !== undefined)
      throw new SettingsError(`The pattern ${JSON.stringify(pattern)} of a target ${fault}.`);
    if (this.targets.some((known) => known.pattern === pattern))
      throw new SettingsError(`Two targets have the pattern ${JSON.stringify(pattern)}.`);
    this.targets.push({ pattern, ...target.bind(this.caller) });
    this.caller.addEnvironment('TARGETS', targetsVariable(this.targets));
  }
}
