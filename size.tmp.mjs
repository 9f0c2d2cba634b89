import { build } from 'esbuild'; import { gzipSync } from 'node:zlib';
const r = await build({entryPoints:['client/index.ts'],bundle:true,minify:true,format:'esm',platform:'browser',write:false,metafile:true});
console.log(gzipSync(r.outputFiles[0].contents,{level:9}).length, r.outputFiles[0].contents.length);
if (process.argv[2]) console.log(r.outputFiles[0].text);
