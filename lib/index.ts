export { Switchboard } from './switchboard.ts';
export { ChangeSource, type StreamTable, type TableSourceOptions } from './changes/change-source.ts';
export { PublishOnChange, type PublishOnChangeProps } from './changes/publish-on-change.ts';
export type { SwitchboardProps, Throttle } from './settings/props.ts';
export { SwitchboardStack, type SwitchboardStackSettings } from './switchboard-stack.ts';
export {
  type HttpTargetOptions,
  type LifecycleTarget,
  ListenerTarget,
  type TargetOptions,
} from './targets/listener-target.ts';
export { SettingsError, type DomainSetting } from './settings/settings.ts';
export type { TokenIssuer } from './settings/token-issuer.ts';
