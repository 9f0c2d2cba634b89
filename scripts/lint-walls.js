// The walls between the folders, as one ESLint rule. Imports go one way: lambdas -> core -> protocol, and
// console -> client -> protocol. lib shares core's time-outs and the type of the environment. local imports nothing of
// Switchboard except the reader of command lines and the file of the local secret.
import { dirname, relative, resolve, sep } from 'node:path';

/**
 * The imports that each folder may have besides its own files: folders, single files, or the types of single files.
 * `builtins` allows Node's own modules. Folders that are not listed (bin, scripts, bench, test) have no walls.
 */
export const walls = {
  protocol: { folders: [], packages: ['zod/mini'], builtins: false },
  core: {
    folders: ['protocol'],
    typesOf: ['publisher/publisher.ts'],
    packages: [
      '@aws-lambda-powertools/*',
      '@aws-sdk/*',
      '@smithy/*',
      '@standard-schema/spec',
      'jose',
      'zod/mini',
    ],
    builtins: true,
  },
  lambdas: {
    folders: ['core', 'protocol', 'publisher'],
    packages: ['@aws-lambda-powertools/*', '@aws-sdk/*', '@smithy/*', 'jose', 'zod/mini'],
    builtins: true,
  },
  client: { folders: ['protocol'], packages: [], builtins: false },
  console: { folders: ['client', 'protocol'], packages: [], builtins: false },
  lib: {
    folders: ['protocol'],
    files: ['core/timing.ts', 'core/auth/algorithms.ts', 'core/targets/rules.ts'],
    typesOf: ['lambdas/environment.ts', 'lambdas/http/routes.ts'],
    packages: [
      '@aws-sdk/credential-provider-env',
      'aws-cdk-lib',
      'aws-cdk-lib/*',
      'constructs',
      'esbuild',
      '@jridgewell/sourcemap-codec',
      'zod/mini',
    ],
    builtins: true,
  },
  // As its readers would write it, in an app of their own.
  examples: {
    folders: [],
    packages: [
      'switchboard',
      'switchboard/*',
      '@switchboard/*',
      'aws-cdk-lib',
      'aws-cdk-lib/*',
      'constructs',
      '@aws-sdk/*',
      'zod',
      'zod/*',
    ],
    builtins: true,
  },
  local: {
    folders: [],
    files: ['cli/command-line.ts', 'cli/local-secret.ts'],
    packages: ['*'],
    builtins: true,
  },
  publisher: {
    folders: ['protocol'],
    packages: ['@aws-sdk/credential-provider-node', '@smithy/*'],
    builtins: true,
  },
  cli: {
    folders: ['protocol', 'publisher'],
    files: ['lib/settings/token-claims.ts'],
    packages: ['jose', 'zod/mini'],
    builtins: true,
  },
};

/** Reports an import that crosses a wall. The message names the folder, the import and the allowed imports. */
export const wallsRule = {
  meta: {
    type: 'problem',
    messages: { crossed: '{{folder}}/ may not import {{what}}; it may import {{allowed}}.' },
    schema: [],
  },
  create(context) {
    const file = relative(context.cwd, context.filename);
    const folder = file.split(sep)[0];
    const wall = walls[folder];
    if (!wall) return {};

    const check = (source, typeOnly) => {
      if (typeof source?.value !== 'string') return;
      const what = target(source.value, context.filename, context.cwd);
      if (!mayImport(folder, wall, what, typeOnly)) {
        context.report({
          node: source,
          messageId: 'crossed',
          data: { folder, what: what.name, allowed: describe(wall) },
        });
      }
    };
    return {
      ImportDeclaration: (node) => check(node.source, node.importKind === 'type'),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind === 'type'),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind === 'type'),
      ImportExpression: (node) => check(node.source, false),
      TSImportType: (node) => check(node.source, true),
    };
  },
};

function target(specifier, filename, cwd) {
  if (specifier.startsWith('.')) {
    const path = relative(cwd, resolve(dirname(filename), specifier))
      .split(sep)
      .join('/');
    return { kind: 'file', name: path, folder: path.split('/')[0] };
  }
  return { kind: specifier.startsWith('node:') ? 'builtin' : 'package', name: specifier };
}

function mayImport(folder, wall, what, typeOnly) {
  if (what.kind === 'builtin') return wall.builtins;
  if (what.kind === 'package') return wall.packages.some((allowed) => matches(allowed, what.name));
  if (what.folder === folder || wall.folders.includes(what.folder)) return true;
  if ((wall.files ?? []).includes(what.name)) return true;
  return typeOnly && (wall.typesOf ?? []).includes(what.name);
}

function matches(allowed, name) {
  return allowed.endsWith('*') ? name.startsWith(allowed.slice(0, -1)) : name === allowed;
}

function describe(wall) {
  const types = (wall.typesOf ?? []).map((file) => `the types of ${file}`);
  const packages = wall.packages.map((name) => (name === '*' ? 'any package' : name));
  return [
    'itself',
    ...wall.folders.map((name) => `${name}/`),
    ...(wall.files ?? []),
    ...types,
    ...packages,
    ...(wall.builtins ? ['node:*'] : []),
  ].join(', ');
}
