export { Switchboard, type SwitchboardProps } from './switchboard.ts';
export { SwitchboardStack, type SwitchboardStackSettings } from './switchboard-stack.ts';
export {
  type HttpTargetOptions,
  type LifecycleTarget,
  ListenerTarget,
  type TargetOptions,
} from './targets/listener-target.ts';
export { SettingsError, type DomainSetting } from './settings/settings.ts';
export type { TokenIssuer } from './settings/token-issuer.ts';
