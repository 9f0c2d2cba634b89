import fc from 'fast-check';

/** What may happen. Each step is followed by some calls of the functions that run. */
export type Step = { readonly calls: number } & (
  | { readonly kind: 'open' | 'close'; readonly device: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'watch' }
  | { readonly kind: 'work'; readonly queue: number; readonly crashesAfter: number | undefined }
  | { readonly kind: 'repeat'; readonly device: number }
);

const device = fc.nat(1);
const calls = fc.nat(12);
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const), device, calls }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('close' as const), device, calls }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1_000, 4_000, 10_000, 40_000),
      calls,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('watch' as const), calls }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      queue: fc.nat(3),
      crashesAfter: fc.oneof({ arbitrary: fc.constant(undefined), weight: 4 }, fc.nat(6)),
      calls,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), device, calls }) },
);
