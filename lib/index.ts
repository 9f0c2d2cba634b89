export { Switchboard, type SwitchboardProps } from './switchboard.ts';
export { SwitchboardStack } from './switchboard-stack.ts';
export {
  type HttpTargetOptions,
  type LifecycleTarget,
  ListenerTarget,
  type TargetOptions,
} from './listener-target.ts';
export { SettingsError } from './settings.ts';
