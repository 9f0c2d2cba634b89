import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { wallsRule } from './scripts/lint-walls.js';

const readsEnvironment =
  'process.env is read in lambdas/environment.ts and at the edges (bin, scripts, local, bench, test); pass the value in.';

export default defineConfig(
  globalIgnores(['**/node_modules', 'cdk.out', '**/dist', 'coverage', '**/*.d.ts']),
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { switchboard: { rules: { walls: wallsRule } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'switchboard/walls': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers read as themselves in a message; everything else that is not a string is a mistake.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'], location: 'start' }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['{protocol,core,client,console,lib,lambdas,publisher,cli}/**/*.{ts,tsx}'],
    ignores: ['lambdas/environment.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: readsEnvironment },
      ],
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'node:process', importNames: ['env'], message: readsEnvironment }] },
      ],
    },
  },
  {
    // Its packages are installed in a folder of its own. The test of the example type-checks it there.
    files: ['examples/app/**/*.ts'],
    extends: [tseslint.configs.disableTypeChecked],
  },
  {
    files: ['test/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(skip|only|todo|fails)$/]',
          message: 'Every test runs: none is skipped, singled out or left to do.',
        },
      ],
    },
  },
);
