export * from './errors.ts';
export * from './frames.ts';
export * from './limits.ts';
export type * from './messages/index.ts';
export * from './names.ts';
export { matchesAny } from './patterns.ts';
export * from './publish.ts';
export * from './targets.ts';
export { appendKey, parseWith, refuseTooDeep } from './validation.ts';
