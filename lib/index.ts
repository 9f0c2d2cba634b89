export { Switchboard, type SwitchboardProps } from './switchboard.ts';
export { SwitchboardStack } from './switchboard-stack.ts';
export { SettingsError } from './settings.ts';
