export type * from './channels.ts';
export type * from './frames.ts';
export type * from './identity.ts';
export type * from './inbox.ts';
export type * from './publish.ts';
export type * from './sessions.ts';
export type * from './targets.ts';
export type * from './tickets.ts';
