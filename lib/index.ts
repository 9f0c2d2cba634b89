export { Switchboard, type SwitchboardProps } from './switchboard.ts';
export { SwitchboardStack, type SwitchboardStackSettings } from './switchboard-stack.ts';
export { SettingsError, type DomainSetting } from './settings.ts';
